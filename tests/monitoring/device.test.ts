import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, expect, onTestFinished, test, vi } from 'vitest';
import { deviceMemory, deviceName } from '../../monitoring/device.ts';

afterEach(() => vi.unstubAllEnvs());

/** A driver's tool that knows only the second of two GPUs. */
async function driver(): Promise<void> {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-driver-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tool = path.join(folder, 'nvidia-smi');
  const asked = (field: string) => `"--id=1 --query-gpu=${field} --format=csv,noheader,nounits"`;
  const answers = `${asked('memory.used')}) echo 20480;; ${asked('name')}) echo "NVIDIA L4";; *) exit 6;;`;
  await writeFile(tool, `#!/bin/sh\ncase "$*" in ${answers} esac\n`);
  await chmod(tool, 0o755);
  vi.stubEnv('PATH', folder);
}

test.runIf(process.platform === 'linux')("for a CPU it is the renderer process's memory", async () => {
  const bytes = await deviceMemory('cpu', [process.pid]);
  expect(bytes! / process.memoryUsage.rss()).toBeCloseTo(1, 0);
});

test('for a GPU it is what the driver reports for it', async () => {
  await driver();
  expect(await deviceMemory('cuda:1', [])).toBe(20 * 1_024 ** 3);
});

test("a GPU has the driver's name, a CPU that of its model and threads", async () => {
  await driver();
  expect(await deviceName('cuda:1', 1)).toBe('NVIDIA L4');
  expect(await deviceName('cpu', 3)).toMatch(/^\S.* × 3$/);
  expect(await deviceName('cuda:0', 1)).toBe('cuda:0');
});

test('GPUs are numbered as CUDA numbers those visible to the process', async () => {
  await driver();
  vi.stubEnv('CUDA_VISIBLE_DEVICES', '3,1');
  expect(await deviceName('cuda:1', 1)).toBe('NVIDIA L4');
  expect(await deviceMemory('cuda:1', [])).toBe(20 * 1_024 ** 3);
  vi.stubEnv('CUDA_VISIBLE_DEVICES', '1');
  expect(await deviceName('cuda:0', 1)).toBe('NVIDIA L4');
});

test.each(['cpu', 'cuda:0', 'cuda:1'] as const)('%s: unknown memory is reported as null', async (device) => {
  if (device === 'cuda:0') await driver();
  else vi.stubEnv('PATH', '');
  expect(await deviceMemory(device, [0])).toBeNull();
});
