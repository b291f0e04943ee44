import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { lockOrHolder } from '../../infra/dev/process-lock.mjs';
import { oneAtATime } from '../../infra/dev/steps.mjs';

let folder: string;
let lock: string;
let said: string;
const processes: ChildProcess[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pixart-lock-'));
  lock = join(folder, 'tool.lock');
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((chunk) => {
    said += chunk;
    return true;
  });
});

afterEach(async () => {
  vi.restoreAllMocks();
  for (const child of processes.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true });
});

const module = new URL('../../infra/dev/process-lock.mjs', import.meta.url).href;

/** A process that takes the lock, says so, and keeps it. */
async function holdElsewhere(path = lock): Promise<ChildProcess> {
  const code = `const { lockOrHolder } = await import(${JSON.stringify(module)});
    const { lock } = await lockOrHolder(${JSON.stringify(path)});
    console.log(lock === null ? 'taken' : 'held');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  processes.push(child);
  const [line] = await once(child.stdout!, 'data');
  expect(String(line)).toBe('held\n');
  return child;
}

test('a file that is no socket holds no lock, whatever its name, and is not removed', async () => {
  mkdirSync(`${lock}-1-deadbeef`);
  writeFileSync(`${lock}-2-deadbeef`, '');
  const { lock: held } = await lockOrHolder(lock);
  await held?.release();
  expect(held).not.toBeNull();
  expect(readdirSync(folder).toSorted()).toEqual(['tool.lock-1-deadbeef', 'tool.lock-2-deadbeef']);
});

/** The largest number of processes that worked at the same time. */
async function mostAtOnce(workers: number): Promise<number> {
  let [working, most] = [0, 0];
  const work = async (): Promise<void> => {
    working += 1;
    most = Math.max(most, working);
    await sleep(20);
    working -= 1;
  };
  await Promise.all(Array.from({ length: workers }, () => oneAtATime(lock, work)));
  return most;
}

test('one of several processes has the lock at a time, and nothing is left behind', async () => {
  expect(await mostAtOnce(6)).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test('the lock of a process that was killed is free at once, for one other', async () => {
  const holder = await holdElsewhere();
  const waiting = mostAtOnce(3);
  await vi.waitFor(() => expect(said).toContain(`waiting for process ${holder.pid}`));
  holder.kill('SIGKILL');
  expect(await waiting).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test('the holder of a lock is known, and so is its exit', async () => {
  const child = await holdElsewhere();
  const { holder } = await lockOrHolder(lock);
  expect(holder?.pid).toBe(child.pid);
  child.kill('SIGKILL');
  await holder?.gone;
  const { lock: ours } = await lockOrHolder(lock);
  expect(ours).not.toBeNull();
  await ours?.release();
});

test('a holder that is paused, and so does not answer, keeps its lock', async () => {
  const child = await holdElsewhere();
  child.kill('SIGSTOP');
  const { holder } = await lockOrHolder(lock);
  expect(holder?.pid).toBe(child.pid);
  holder?.leave();
});

test('a folder whose path is too long for a socket can be locked', async () => {
  const deep = join(folder, ...Array.from({ length: 6 }, () => 'a folder with quite a long name'));
  mkdirSync(deep, { recursive: true });
  lock = join(deep, 'tool.lock');
  const child = await holdElsewhere();
  const { holder } = await lockOrHolder(lock);
  expect(holder?.pid).toBe(child.pid);
  holder?.leave();
  child.kill('SIGKILL');
  await holder?.gone;
  expect(await mostAtOnce(2)).toBe(1);
  expect(readdirSync(deep)).toEqual([]);
});

test('set-up continues where no lock can be created', async () => {
  lock = join(folder, 'x'.repeat(250));
  await expect(lockOrHolder(lock)).rejects.toThrow("too long for a socket's path");
  expect(await oneAtATime(lock, async () => 'done')).toBe('done');
});
