import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { expectCode } from '../e2e/command-line.ts';
import { type FaultyNetwork, startFaultyNetwork } from '../store/faulty-network.ts';
import { gcsRefusal } from '../store/retention-policy.ts';
import { runHere } from './run-here.ts';

let emulator: BucketEmulator;
let network: FaultyNetwork;

beforeAll(async () => {
  emulator = await startBucketEmulator();
  await emulator.createBucket('paid-by-others');
  const missing = 'Bucket is a requester pays bucket but no user project provided.';
  network = await startFaultyNetwork(emulator.endpoint, (_label, _nth, url) =>
    url.searchParams.has('userProject') ? 'passes' : { status: 400, body: gcsRefusal(400, 'required', missing) },
  );
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await network.stop();
  await emulator.stop();
});

/** The variable is restored after each command. */
const report = (...options: string[]) =>
  runHere(['report', 'night', '--store', 'gs://paid-by-others/images', ...options], { PIXART_USER_PROJECT: '' });

test('a requester-pays bucket is refused until a project to bill is named', async () => {
  const unpaid = expectCode(2, await runHere(['report', 'night', '--store', 'gs://paid-by-others/images']));
  expect(unpaid.stderr).toContain('name the project to bill with --user-project or PIXART_USER_PROJECT');
  const paid = expectCode(2, await report('--user-project', 'payer-1'));
  expect(paid.stderr).toContain('expected a batch of that name in gs://paid-by-others/images, found none');
  expect(network.urls.at(-1)?.searchParams.get('userProject')).toBe('payer-1');
});

test.each(['plan', 'submit', 'retry', 'report', 'worker', 'dev', 'start'])(
  '%s accepts a project to bill',
  async (verb) => {
    expect((await runHere([verb, '--help'])).stdout).toContain('--user-project <project>');
  },
);
