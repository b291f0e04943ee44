import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestJsonl, manifestRow } from '../../records/manifest-table.ts';
import { keepRound } from '../../records/rounds.ts';
import { openStore } from '../../store/index.ts';
import { sampleJob } from '../images/sample-job.ts';
import { runHere } from './run-here.ts';

let store: string;

beforeAll(async () => {
  store = await mkdtemp(join(tmpdir(), 'report-'));
});

afterAll(() => rm(store, { recursive: true }));

test('a report of a truncated table says which line of which file is damaged, and what to do', async () => {
  const rows = ['fox', 'owl'].map((id) => manifestRow({ ...sampleJob, id }, undefined));
  const whole = Buffer.concat([...manifestJsonl(rows)]);
  await mkdir(join(store, 'batches/night'), { recursive: true });
  await writeFile(join(store, 'batches/night/manifest.jsonl'), whole.subarray(0, whole.length - 40));
  const { code, stdout, stderr } = await runHere(['report', 'night', '--store', store]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(
    /^pixart-batch: batches\/night\/manifest\.jsonl in \/.*, line 2 is damaged: .* Restore the file from .*\n$/,
  );
});

test('a report shows the cost of the device time next to the plan', async () => {
  const rendered = { status: 'rendered' as const, steps: 20, device_ms: 3_600_000 };
  const rows = ['fox', 'owl'].map((id) => ({ ...manifestRow({ ...sampleJob, id }, undefined), ...rendered }));
  await mkdir(join(store, 'batches/costly'), { recursive: true });
  await writeFile(join(store, 'batches/costly/manifest.jsonl'), Buffer.concat([...manifestJsonl(rows)]));
  const report = (...more: string[]) => runHere(['report', 'costly', '--store', store, ...more]);
  expect((await report()).stdout).toContain(
    '\ndevice time: 2 h 0 min, no batch had measured it at the time of the plan\n',
  );
  const digest = 'd'.repeat(64);
  await keepRound(await openStore(pathToFileURL(store).href), {
    ...{ batch: 'costly', round: 1, hasWebhook: false },
    settings: {
      bundle: { name: 'tiny', digest, sizes: ['256'], defaults: { steps: 2, guidance: 4 } },
      defaults: { size: '256', format: 'png', quality: null },
      window: 7,
    },
    rates: { format: 2, bundle: digest, sizes: { '256': { 'GPU A': { images: 8, secondsPerStep: 135 } } } },
  });
  expect((await report('--cost-per-hour', '2.5')).stdout).toContain(
    '\ndevice time: 2 h 0 min, planned about 1 h 30 min; cost: 5.00, planned about 3.75\n',
  );
  expect(JSON.parse((await report('--cost-per-hour', '2.5', '--json')).stdout)).toMatchObject({
    time: { deviceSeconds: 7_200, plannedSeconds: 5_400 },
    cost: { spent: 5, planned: 3.75 },
  });
});
