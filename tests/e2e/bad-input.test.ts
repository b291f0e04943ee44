import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { type Finished, pixartBatch } from './command-line.ts';
import { createWorkplace, type Workplace } from './workplace.ts';

// Whole processes, several a test: on a busy machine each takes its time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

let place: Workplace;
let server: TemporalServer;
let emulator: BucketEmulator;

beforeAll(async () => {
  place = await createWorkplace();
  [server, emulator] = await Promise.all([startTemporalServer({ ui: false }), startBucketEmulator()]);
});

afterAll(async () => {
  await Promise.all([server?.stop(), emulator?.stop()]);
  await place.remove();
});

const run = (args: string[], environment: NodeJS.ProcessEnv = {}): Promise<Finished> =>
  pixartBatch(args, { ...place.environment, TEMPORAL_ADDRESS: server.address, ...environment });

/** Wrong usage or input, in a message without a stack, and no trace of it anywhere. */
function expectRefused(finished: Finished, message: RegExp, code = 2): void {
  expect(finished).toMatchObject({ code, stdout: '', stderr: expect.stringMatching(message) });
  expect(finished.stderr).not.toMatch(/^\s+at /m);
  expect(existsSync(place.store)).toBe(false);
}

test('a catalog that cannot be read ends the command with exit code 2 and the reason', async () => {
  const catalog = await place.catalog('a.csv', 'id,text\n1,a fox');
  expectRefused(await run(['submit', catalog]), /prompt.*"id", "text"/);
});

test('a bucket that does not exist is refused', async () => {
  const catalog = await place.catalog('good.csv', 'prompt\na fox');
  const environment = { STORAGE_EMULATOR_HOST: emulator.endpoint, PIXART_STORE: 'gs://no-such-bucket/images' };
  expectRefused(await run(['submit', catalog], environment), /bucket "no-such-bucket" does not exist/);
  const worker = ['worker', '--renderer', '--scratch', 'gs://no-such-bucket/scratch'];
  expectRefused(await run(worker, environment), /bucket "no-such-bucket" does not exist/);
});

test('without a server at the address the error names it, and the exit code is another', async () => {
  const catalog = await place.catalog('good.csv', 'prompt\na fox');
  const nobody = { TEMPORAL_ADDRESS: '127.0.0.1:1' };
  for (const args of [['submit', catalog], ['dev']]) {
    expectRefused(await run(args, nobody), /127\.0\.0\.1:1.*pixart-batch dev/s, 4);
  }
});

test('a bundle with one byte changed is refused by all that would use it', async () => {
  const file = join(place.bundle, 'transformer.onnx');
  const whole = await readFile(file);
  const damaged = Buffer.from(whole);
  damaged[1_000]! ^= 1;
  await writeFile(file, damaged);
  try {
    const out = join(place.folder, 'fox.png');
    for (const args of [['bundle', 'verify'], ['render', 'a fox', '--out', out], ['worker', '--renderer'], ['dev']]) {
      expectRefused(await run(args), /transformer\.onnx: expected SHA-256/);
    }
    expect(existsSync(out)).toBe(false);
  } finally {
    await writeFile(file, whole);
  }
});

test('none of all these has started anything', async () => {
  expect(await run(['list'])).toMatchObject({
    code: 0,
    stdout: '',
    stderr: expect.stringMatching(/^the server knows no batch\..*\n$/),
  });
  expect(await run(['schedule', 'list'])).toMatchObject({ code: 0, stdout: '', stderr: 'no schedules yet\n' });
});
