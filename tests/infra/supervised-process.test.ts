import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isAlive } from '../../infra/dev/steps.mjs';
import { supervise } from '../../infra/dev/supervised-process.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-supervised-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** Runs a line of JavaScript under supervision. */
const run = (code: string, isServerKept = false) =>
  supervise({
    isServerKept,
    name: 'test worker',
    args: ['--input-type=module', '--eval', code],
    logFile: join(folder, 'log'),
    graceMs: 10_000,
  });

const writePid = () =>
  `(await import('node:fs')).writeFileSync(${JSON.stringify(join(folder, 'pid'))}, String(process.pid))`;

async function pidOf(not?: number): Promise<number> {
  for (;;) {
    const pid = existsSync(join(folder, 'pid')) ? Number(await readFile(join(folder, 'pid'), 'utf8')) : 0;
    if (pid > 0 && pid !== not) return pid;
    await sleep(50);
  }
}

test('a process that is killed is restarted, until it is stopped', async () => {
  const worker = run(`${writePid()}; setInterval(() => {}, 1000)`);
  const first = await pidOf();
  process.kill(first, 'SIGKILL');
  const second = await pidOf(first);
  expect(isAlive(second)).toBe(true);
  await worker.stop();
  expect(isAlive(second)).toBe(false);
});

test.each([
  [2, 'its input is wrong', 'bundle x is damaged'],
  [4, 'there is no server', 'no Temporal server answers'],
])(
  'a process that exits with %i, because %s, is given up at once, with the last lines of its log',
  async (code, _, message) => {
    const worker = run(`console.error(${JSON.stringify(message)}); process.exit(${code})`);
    const error = await worker.gaveUp;
    expect(error.message).toMatch(new RegExp(`test worker exited \\(${code}\\).*${message}`, 's'));
    await worker.stop();
  },
);

test('a process that finds no server is restarted if the server itself is restarted', async () => {
  const tried = JSON.stringify(join(folder, 'tried'));
  const worker = run(
    `${writePid()}; const { existsSync, writeFileSync } = await import('node:fs');
     if (!existsSync(${tried})) { writeFileSync(${tried}, ''); process.exit(4); }
     setInterval(() => {}, 1000);`,
    true,
  );
  const before = await pidOf();
  expect(isAlive(await pidOf(before))).toBe(true);
  await worker.stop();
});

test('a worker exits when its starter is killed', async () => {
  const lifeline = new URL('../../infra/dev/end-with-starter.mjs', import.meta.url).href;
  const supervisor = new URL('../../infra/dev/supervised-process.ts', import.meta.url).href;
  const starter = join(folder, 'starter.mjs');
  const worker = `${writePid()}; setInterval(() => {}, 1000)`;
  const args = ['--import', lifeline, '--input-type=module', '--eval', worker];
  const program = { name: 'worker', args, logFile: join(folder, 'log'), graceMs: 1000 };
  await writeFile(
    starter,
    `const { supervise } = await import(${JSON.stringify(supervisor)});
     supervise(${JSON.stringify(program)});
     setInterval(() => {}, 1000);`,
  );
  const outer = supervise({
    name: 'starter',
    args: ['--import', import.meta.resolve('tsx'), starter],
    logFile: join(folder, 'starter.log'),
    graceMs: 0,
  });
  const pid = await pidOf();
  // Asked to stop and, with no grace, killed at once.
  await outer.stop();
  while (isAlive(pid)) await sleep(50);
});

test('a worker of a fleet on one machine ignores the shell’s deployment settings', async () => {
  vi.stubEnv('TEMPORAL_DEPLOYMENT_NAME', 'studio');
  vi.stubEnv('TEMPORAL_WORKER_BUILD_ID', '1');
  vi.stubEnv('TEMPORAL_NAMESPACE', 'night');
  const told = "Object.keys(process.env).filter((name) => name.startsWith('TEMPORAL_')).join()";
  const worker = run(`console.error(${told}); process.exit(2)`);
  const { message } = await worker.gaveUp;
  vi.unstubAllEnvs();
  expect(message).toContain('TEMPORAL_NAMESPACE');
  expect(message).not.toMatch(/DEPLOYMENT|BUILD_ID/);
  await worker.stop();
});
