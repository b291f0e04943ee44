import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest';
import { startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { runStep } from '../../infra/dev/steps.mjs';
import { supervise } from '../../infra/dev/supervised-process.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { rendererOfThisTest, until } from '../models/renderer/tiny-renderer.ts';

const PLANTED = 'a-planted-secret';
const KEYS = { NVIDIA_API_KEY: PLANTED, AWS_SECRET_ACCESS_KEY: PLANTED, DATABASE_PASSWORD: PLANTED };
const FLEET = { TEMPORAL_API_KEY: PLANTED, GOOGLE_APPLICATION_CREDENTIALS: PLANTED, PIXART_WEBHOOK_SECRET: PLANTED };

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixart-children-'));
  for (const [name, value] of Object.entries({ ...KEYS, ...FLEET })) vi.stubEnv(name, value);
});

afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

/** The environment of each child of this process, by the program's name. Only Linux shows it. */
function environments(): Map<string, string> {
  const isOurs = (pid: string) =>
    readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[1] === `${process.pid}`;
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return new Map(
    pids.flatMap((pid) => {
      try {
        return isOurs(pid) ? [[nameOf(pid), readFileSync(`/proc/${pid}/environ`, 'utf8')]] : [];
      } catch {
        return [];
      }
    }),
  );
}

const nameOf = (pid: string): string =>
  readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    .split('\0')
    .map((part) => /(temporal|fake-gcs-server|child\.mjs)$/.exec(part)?.[1])
    .find((name) => name !== undefined) ?? '';

test.skipIf(process.platform !== 'linux')('a server, an emulator and a renderer start without our keys', async () => {
  // What a child inherits by default.
  expect(execFileSync(process.execPath, ['-p', 'process.env.NVIDIA_API_KEY'], { encoding: 'utf8' })).toContain(PLANTED);
  const server = await startTemporalServer({ ui: false });
  onTestFinished(() => server.stop());
  const emulator = await startBucketEmulator();
  onTestFinished(() => emulator.stop());
  await rendererOfThisTest();

  const found = environments();
  for (const program of ['temporal', 'fake-gcs-server', 'child.mjs']) {
    expect(found.get(program)).toMatch(/(^|\0)PATH=/);
    expect(found.get(program)).not.toContain(PLANTED);
  }
});

test('a set-up step runs without our keys', async () => {
  const program = `if (JSON.stringify(process.env).includes('${PLANTED}')) throw new Error('told'); process.env.PATH.length;`;
  await runStep('looking at its environment', process.execPath, ['-e', program]);
});

test("a fleet's worker gets the fleet's keys and no others", async () => {
  const logFile = join(folder, 'worker.log');
  const worker = supervise({
    name: 'worker',
    args: ['-e', 'console.log(Object.keys(process.env).join()); setInterval(() => {}, 1000)'],
    logFile,
    graceMs: 1_000,
  });
  onTestFinished(() => worker.stop());
  await until(() => readFileSync(logFile, 'utf8').endsWith('\n'));
  const names = readFileSync(logFile, 'utf8').trim().split(',');
  expect(names).toEqual(expect.arrayContaining(['PATH', ...Object.keys(FLEET)]));
  for (const name of Object.keys(KEYS)) expect(names).not.toContain(name);
});
