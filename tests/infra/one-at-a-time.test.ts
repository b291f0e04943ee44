import { existsSync, mkdtempSync, readdirSync, readFileSync, utimesSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { removeStale } from '../../infra/dev/stale-file.mjs';
import { oneAtATime } from '../../infra/dev/steps.mjs';

let folder: string;
let lock: string;
let said: string;

/** No system gives such a number to a process. */
const DEAD = String(2 ** 30);

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
  await rm(folder, { recursive: true });
});

/** The most that worked at the same time. */
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

test.each([
  ['whose holder has died', DEAD],
  ['that a crash left empty', ''],
])('a lock %s is taken over by one after the other', async (_, content) => {
  writeFileSync(lock, content);
  utimesSync(lock, 1, 1);
  expect(await mostAtOnce(3)).toBe(1);
  expect(readdirSync(folder)).toEqual([]);
});

test('an empty lock that was made just now is left to its holder, who writes into it', async () => {
  writeFileSync(lock, '');
  const work = vi.fn(async () => {});
  const done = oneAtATime(lock, work);
  await vi.waitFor(() => expect(said).toContain('waiting for another process'));
  expect(work).not.toHaveBeenCalled();
  await rm(lock);
  await done;
  expect(work).toHaveBeenCalledOnce();
});

test('who waits is told for whom, and which file to remove where that process is an unrelated one', async () => {
  writeFileSync(lock, String(process.ppid));
  const done = oneAtATime(lock, async () => {});
  await vi.waitFor(() => expect(said).toContain(`waiting for process ${process.ppid}`));
  expect(said).toContain(`remove ${lock}`);
  await rm(lock);
  await done;
});

test('a lock that another process took in the meantime is not removed', () => {
  writeFileSync(lock, 'another');
  removeStale(lock, (content) => content === DEAD);
  expect(readFileSync(lock, 'utf8')).toBe('another');
  // Taken between the look at it and its removal.
  const isStale = vi.fn(() => false).mockReturnValueOnce(true);
  removeStale(lock, isStale);
  expect(isStale).toHaveBeenCalledTimes(2);
  expect(readFileSync(lock, 'utf8')).toBe('another');
  removeStale(lock, (content) => content === 'another');
  expect(existsSync(lock)).toBe(false);
  expect(readdirSync(folder)).toEqual([]);
});
