import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { deviceMemory } from '../../monitoring/device-memory.ts';

afterEach(() => vi.unstubAllEnvs());

/** A driver's tool that knows the second of two GPUs. */
async function driver(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-driver-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tool = path.join(folder, 'nvidia-smi');
  const asked = '--id=1 --query-gpu=memory.used --format=csv,noheader,nounits';
  await writeFile(
    tool,
    `#!/bin/sh\nif [ "$*" = "${asked}" ]; then echo 20480; else echo "No devices were found"; fi\n`,
  );
  await chmod(tool, 0o755);
  vi.stubEnv('PATH', folder);
}

test.runIf(process.platform === 'linux')("for a processor it is the renderer process's memory", async () => {
  const bytes = await deviceMemory('cpu', process.pid);
  expect(bytes! / process.memoryUsage.rss()).toBeCloseTo(1, 0);
});

test('for a GPU it is what the driver says of that one', async () => {
  await driver();
  expect(await deviceMemory('cuda:1', 0)).toBe(20 * 1_024 ** 3);
});

test.each(['cpu', 'cuda:0', 'cuda:1'] as const)('%s: where nobody knows, none is told', async (device) => {
  if (device === 'cuda:0') await driver();
  else vi.stubEnv('PATH', '');
  expect(await deviceMemory(device, 0)).toBeNull();
});
