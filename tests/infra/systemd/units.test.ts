import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EXIT } from '../../../cli/exit-codes.ts';
import { VERBS } from '../../../cli/verb-table.ts';
import { FORCE_AFTER_MS } from '../../../workers/stopping.ts';

const FOLDER = fileURLToPath(new URL('../../../infra/systemd/', import.meta.url));
const DOCUMENTS = ['guide.md', 'reference/command-line.md'].map((name) =>
  fileURLToPath(new URL(`../../../docs/${name}`, import.meta.url)),
);

const read = (name: string): string => readFileSync(FOLDER + name, 'utf8');

/** The values of a unit's setting, in their order. */
const settings = (unit: string, name: string): string[] =>
  read(unit)
    .replaceAll('\\\n', '')
    .split('\n')
    .flatMap((line) => (line.startsWith(`${name}=`) ? [line.slice(name.length + 1)] : []));

const OURS = ['pixart-batch-orchestrator.service', 'pixart-batch-renderer@.service', 'pixart-batch-temporal.service'];

/** The words of a unit's command behind the program, for an instance. */
const command = (unit: string, instance: string): string[] =>
  settings(unit, 'ExecStart')[0]!
    .replaceAll('%i', instance)
    .split(/\s+/)
    .slice(2)
    .filter((word) => !word.startsWith('$'));

test.each(OURS.flatMap((unit) => ['cpu', 'cuda:1'].map((instance) => [unit, instance] as const)))(
  '%s is a command that there is, for %s',
  async (unit, instance) => {
    const [verb, ...options] = command(unit, instance);
    const found = (await VERBS[verb!]!.load()).exitOverride().parseOptions(options);
    expect(found).toEqual({ operands: [], unknown: [] });
  },
);

test('a render worker that is told to stop is not killed before it would give up by itself', () => {
  const unit = 'pixart-batch-renderer@.service';
  const words = command(unit, 'cpu');
  const grace = Number(words[words.indexOf('--grace') + 1]);
  expect(Number(settings(unit, 'TimeoutStopSec')[0])).toBeGreaterThan(grace + FORCE_AFTER_MS / 1_000);
});

test('what has been drained stays down: it is started again when it fails, and only then', () => {
  for (const unit of OURS) expect(settings(unit, 'Restart')).toEqual(['on-failure']);
});

test('what ends since its settings are wrong stays down, too', () => {
  for (const unit of OURS) expect(settings(unit, 'RestartPreventExitStatus')).toEqual([String(EXIT.badInput)]);
});

test('whoever writes to the store waits for what is mounted there', () => {
  for (const unit of OURS.slice(0, 2)) expect(settings(unit, 'RequiresMountsFor')).toEqual(['/srv/pixart-batch']);
});

test('all units are shut off alike', () => {
  const sandbox = (unit: string): string[] =>
    read(unit)
      .split('\n')
      .filter((line) => /^(Protect|Restrict|SystemCall|NoNew|Capability|Lock|UMask|LimitCORE|PrivateTmp)/.test(line));
  expect(sandbox(OURS[0]!).length).toBeGreaterThan(15);
  for (const unit of OURS) expect(sandbox(unit)).toEqual(sandbox(OURS[0]!));
});

test('every variable of the environment file is one that a unit or the product reads', () => {
  const names = [...read('environment').matchAll(/^(?:# )?([A-Z][A-Z_]+)=/gm)].map(([, name]) => name!);
  expect(names).toContain('PIXART_STORE');
  const documented = DOCUMENTS.map((file) => readFileSync(file, 'utf8'));
  const readers = [...documented, ...readdirSync(FOLDER).map(read)].join('\n');
  for (const name of names) expect(readers).toMatch(new RegExp(`[\`$]\\{?${name}\\b`));
});
