import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PROGRAM = fileURLToPath(new URL('./encode-in-process.ts', import.meta.url));

/** With MALLOC_ARENA_MAX set, sharp 0.35.5 uses as many threads on Linux with glibc as on other systems. */
async function encodeWith(threads: number) {
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', PROGRAM], {
    env: { ...process.env, MALLOC_ARENA_MAX: '2', VIPS_CONCURRENCY: `${threads}`, UV_THREADPOOL_SIZE: `${threads}` },
  });
  return JSON.parse(stdout) as { threads: number; sums: Record<string, string> };
}

test('an image has the same bytes whatever the number of threads', async () => {
  const [one, ...others] = [await encodeWith(1), await encodeWith(2), await encodeWith(4)];
  expect([one!.threads, ...others.map(({ threads }) => threads)]).toEqual([1, 2, 4]);
  for (const { sums } of others) expect(sums).toEqual(one!.sums);
});
