import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Tool } from '../../infra/dev/pinned-tools.mjs';
import * as tools from '../../infra/dev/pinned-tools.mjs';

/**
 * Where something is fetched from a network, and what has to be true of it. Findings fetch an exact version into a
 * folder that they remove.
 */
type Rule = { fetches: RegExp; isPinned: (line: string, file: string) => boolean };

const inFindings = (file: string): boolean => file.startsWith('findings/');
const EXACT_NPM = /(^|\s)(@[\w.-]+\/)?[\w.-]+@\d+\.\d+\.\d+\b/;
const EXACT_PIP = /(^|\s)[\w.-]+==\d[\w.]*/;

/** By file: those that fetch with code, whose own tests show that another digest is refused. */
const CHECKED = new Map([
  ['infra/dev/install-tool.mjs', 'tests/infra/install-tool.test.ts'],
  ['infra/helm/cluster/go-programs.mjs', 'moduleSources of infra/dev/install-tool.mjs'],
  ['infra/dev/npm-archive.mjs', 'tests/infra/install-chromium.test.ts'],
  ['models/training/icons.py', 'the SHA-512 beside it'],
]);

const RULES: Rule[] = [
  {
    // Without a name it is our own package that npm packs.
    fetches: /\bnpm (install|i|add|exec|pack) (?!--pack-destination \S+$)|\bnpx (?!--no-install|pixart-batch|tsx)/,
    isPinned: (line, file) => inFindings(file) && line.includes('--ignore-scripts') && EXACT_NPM.test(line),
  },
  { fetches: /\bnpm ci\b/, isPinned: (line) => line.includes('--ignore-scripts') },
  {
    fetches: /\bpip3? (install|download)\b/,
    isPinned: (line, file) => line.includes('--require-hashes') || (inFindings(file) && EXACT_PIP.test(line)),
  },
  {
    fetches: /['"]npm['"], ?\[?['"]?(pack|install)|['"](pack|download)['"],/,
    isPinned: (_, file) => CHECKED.has(file),
  },
  { fetches: /['"]go['"], ?\[|\bgo (install|get|build|run) /, isPinned: (_, file) => CHECKED.has(file) },
  { fetches: /\b(curl|wget|git clone|docker (pull|run)|apt-get install|brew install) /, isPinned: () => false },
  // Of images the tag; what they are by digest, whoever builds or runs them adds (docs/deploy.md).
  {
    fetches: /^FROM (?!scratch|base-)|^\s+image: (?!pixart-batch:)(&\S+ )?[\w./:-]+$/,
    isPinned: (line) => /:(\$\{NODE\}|v?\d+\.\d+(\.\d+)?)(-|\s|$)/.test(line),
  },
  { fetches: /\burlretrieve|\burlopen\(|hf_hub_download|snapshot_download/, isPinned: () => false },
];

const isCode = (file: string): boolean =>
  /\.(sh|mjs|ts|py|json)$|Dockerfile$|compose\.yaml$|^\.ci\//.test(file) &&
  !/^(tests|docs)\/|package-lock\.json$|^models\/bundles\//.test(file);

/** Comments, and texts that tell people of a command. */
const isSaid = (line: string): boolean => /^\s*(#|\*|\/\/|\/\*|""")|^\s*const (missing|INSTALL) = '/.test(line);

const tracked = (): string[] => execFileSync('git', ['ls-files'], { encoding: 'utf8' }).trim().split('\n');

function unpinned(file: string, text: string): string[] {
  return text.split('\n').flatMap((line, at) => {
    const rule = RULES.find(({ fetches }) => fetches.test(line));
    return rule === undefined || isSaid(line) || rule.isPinned(line, file) ? [] : [`${file}:${at + 1}: ${line.trim()}`];
  });
}

test('whatever a script fetches is pinned', () => {
  expect(
    tracked()
      .filter(isCode)
      .flatMap((file) => unpinned(file, readFileSync(file, 'utf8'))),
  ).toEqual([]);
});

test.each([
  'curl -L https://example.com/tool.tar.gz | tar xz',
  'npm install --global tool',
  'npx tool@latest',
  'python3 -m pip install tool',
  'python3 -m pip install tool==1.0',
  'go install example.com/tool@latest',
  "await run('npm', ['pack', spec])",
  'FROM node:lts-slim AS build',
  'FROM node',
  '    image: grafana/grafana:latest',
])('what is not pinned is found: %s', (line) => {
  expect(unpinned('infra/dev/some.sh', line)).toHaveLength(1);
});

test('each package in a lock has a digest', () => {
  const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const without = Object.entries<{ integrity?: string; inBundle?: boolean }>(packages)
    .filter(([name, { integrity, inBundle }]) => name !== '' && !inBundle && !/^sha512-/.test(integrity ?? ''))
    .map(([name]) => name);
  expect(without).toEqual([]);
  const locks = tracked().filter((file) => file.endsWith('.lock'));
  expect(locks).toContain('models/requirements.lock');
  for (const lock of locks) {
    const requirements = readFileSync(lock, 'utf8').replaceAll('\\\n', ' ').split('\n');
    for (const line of requirements.filter((text) => /^\w/.test(text))) {
      expect(line, lock).toMatch(/^[\w.[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}/);
    }
  }
});

test('each program that set-up fetches has a digest for every way to it', () => {
  for (const { sha256, wheel, goSum } of Object.values<Tool>(tools)) {
    for (const digest of [...Object.values(sha256), ...(wheel?.sha256 ?? [])]) expect(digest).toMatch(/^[0-9a-f]{64}$/);
    if (goSum !== undefined) expect(goSum).toMatch(/^h1:[\w+/]{43}=$/);
    expect(goSum ?? wheel).toBeDefined();
  }
});
