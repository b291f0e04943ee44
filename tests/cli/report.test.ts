import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { manifestJsonl, manifestRow } from '../../records/manifest-table.ts';
import { sampleJob } from '../images/sample-job.ts';
import { runHere } from './run-here.ts';

let store: string;

beforeAll(async () => {
  store = await mkdtemp(join(tmpdir(), 'report-'));
});

afterAll(() => rm(store, { recursive: true }));

test('a report of a table that was cut short says which line of which file is damaged, and what helps', async () => {
  const rows = ['fox', 'owl'].map((id) => manifestRow({ ...sampleJob, id }, undefined));
  const whole = Buffer.concat([...manifestJsonl(rows)]);
  await mkdir(join(store, 'batches/night'), { recursive: true });
  await writeFile(join(store, 'batches/night/manifest.jsonl'), whole.subarray(0, whole.length - 40));
  const { code, stdout, stderr } = await runHere(['report', 'night', '--store', store]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(
    /^pixart-batch: batches\/night\/manifest\.jsonl in \/.*, line 2 is damaged: .* Restore the file, .*\n$/,
  );
});
