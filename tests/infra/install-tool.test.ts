import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureTool } from '../../infra/dev/install-tool.mjs';
import type { Tool } from '../../infra/dev/pinned-tools.mjs';
import { findTool } from '../../infra/dev/tools.mjs';

const run = promisify(execFile);

let folder: string;
let server: Server;
let answer: { status: number; body: Uint8Array };
let requests: number;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-tools-'));
  requests = 0;
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

const tool = (): Tool => ({
  name: 'pixart-test-tool',
  version: '2.10.0',
  purpose: 'a test',
  goPackage: 'example.invalid/no/such/package@v2.10.0',
  archive: () => `http://127.0.0.1:${(server.address() as AddressInfo).port}/tool.tar.gz`,
  byHand: 'https://example.invalid/by-hand',
});

async function archiveOf(text: string): Promise<Uint8Array> {
  await mkdir(join(folder, 'made'));
  await writeFile(join(folder, 'made', 'pixart-test-tool'), text);
  await run('tar', ['-czf', join(folder, 'tool.tar.gz'), '-C', join(folder, 'made'), 'pixart-test-tool']);
  return readFile(join(folder, 'tool.tar.gz'));
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

test('a tool on the PATH is taken as it is', async () => {
  const path = join(folder, 'pixart-test-tool');
  await writeFile(path, '#!/bin/sh\n', { mode: 0o755 });
  vi.stubEnv('PATH', folder);
  expect(await ensureTool(tool())).toBe(path);
  expect(requests).toBe(0);
});

test('where nothing works, the error says what to install instead, and nothing is left', async () => {
  answer = { status: 503, body: Buffer.from('later') };
  await expect(ensureTool(tool())).rejects.toThrow(/example\.invalid\/by-hand.*install Go/s);
  expect(await readdir(join(folder, 'cache', 'pixart-batch', 'bin'))).toEqual([]);
  expect(findTool('pixart-test-tool')).toBeNull();
});

test('an archive that is none is not taken for a tool', async () => {
  answer = { status: 200, body: Buffer.from('<html>please log in</html>') };
  await expect(ensureTool(tool())).rejects.toThrow(/could not be installed/);
  expect(findTool('pixart-test-tool')).toBeNull();
});
