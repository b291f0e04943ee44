import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createReadShard } from '../../activities/read-shard.ts';
import { createWriteManifest } from '../../activities/write-manifest.ts';
import type { Job } from '../../domain/job.ts';
import type { Failure } from '../../domain/receipt.ts';
import { plannedRows, readBatchRows } from '../../records/batch-rows.ts';
import { DamagedRecord } from '../../records/damaged.ts';
import {
  latestBatchName,
  manifestName,
  ratesName,
  revisionName,
  shardName,
  shardReceiptsName,
} from '../../records/layout.ts';
import { manifestJsonl, manifestRow } from '../../records/manifest-table.ts';
import { batchOutcomes, encodeJobs, encodeOutcomes, readJobs } from '../../records/plan-and-receipts.ts';
import { changesSince, keepLatestBatch } from '../../records/previous-batch.ts';
import { readRates } from '../../records/rates.ts';
import { readRevision } from '../../records/read-revision.ts';
import { type ObjectStore, openStore, shownPlace } from '../../store/index.ts';
import { sampleJob } from '../images/sample-job.ts';
import { receiptOf } from '../review-page/sample-batch.ts';

let folder: string;
let store: ObjectStore;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-damaged-'));
  store = await openStore(pathToFileURL(folder).href);
});

afterAll(() => rm(folder, { recursive: true }));

const put = (name: string, bytes: Uint8Array | string) => store.replace(name, Buffer.from(bytes), 'text/plain');
const jobs = ['fox', 'owl'].map((id) => ({ ...sampleJob, id, prompt: 'a fox, ünlike' }));
const plan = shardName('night', 1, 0);
const receipts = shardReceiptsName('night', 1, 0);

async function outcomes(): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const row of batchOutcomes(store, 'night')) all.push(row);
  return all;
}

/** For tests whose files would disturb others. */
const emptyStore = async (): Promise<ObjectStore> =>
  openStore(pathToFileURL(await mkdtemp(path.join(folder, 'store-'))).href);

const failureOf = ({ id }: Job): Failure => ({ id, type: 'UserError', reason: 'no', attempts: 1 });

const thrownBy = (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => null,
    (error: unknown) => error,
  );

const records: { name: string; whole: () => Promise<Uint8Array>; read: () => Promise<unknown> }[] = [
  { name: plan, whole: () => encodeJobs(jobs), read: () => readJobs(store, plan) },
  { name: receipts, whole: async () => encodeOutcomes(jobs.map((job) => receiptOf('night', job))), read: outcomes },
  {
    name: manifestName('night', 'jsonl'),
    whole: async () => Buffer.concat([...manifestJsonl(jobs.map((job) => manifestRow(job, undefined)))]),
    read: () => readBatchRows(store, 'night'),
  },
];

test.each(records)(
  '$name, cut off within a line, is reported with its place, its line and what to do',
  async ({ name, whole, read }) => {
    await put(plan, await encodeJobs(jobs));
    const bytes = await whole();
    await put(name, bytes);
    expect(await read()).toHaveLength(2);
    const firstLine = bytes.indexOf(0x0a);
    // Bytes of a character, a first line, a second one.
    for (const end of [1, 20, firstLine - 1, firstLine + 2, bytes.length - 2]) {
      await put(name, bytes.subarray(0, end));
      const error = (await thrownBy(read())) as Error;
      expect(error).toBeInstanceOf(DamagedRecord);
      expect(error.message).toContain(
        `${name} in ${shownPlace(store.url)}, line ${end <= firstLine ? 1 : 2} is damaged: expected`,
      );
      expect(error.message).toMatch(
        /found invalid or incomplete JSON: ".*"( \(\d+ characters\))?\. Restore the file.*\.$/,
      );
      expect(error.message.length).toBeLessThan(700);
    }
    await put(name, bytes);
  },
);

test.each([
  ['{"id":"fox"}\n', 'line 1 is damaged: expected outcomes of jobs, one a line, found '],
  ['[]\n', 'line 1 is damaged'],
  [
    '{"id":"fox","type":"X","reason":7,"attempts":1}\n',
    'reason: Invalid input: expected string, received number, in "{\\"id',
  ],
  ['\0\0\0\0', 'found invalid or incomplete JSON: "\\u0000'],
  [Buffer.from([0x7b, 0xff, 0x7d, 0x0a]), 'found bytes that are not UTF-8'],
])('receipts that read %j are reported in words', async (text, expected) => {
  await put(plan, await encodeJobs(jobs));
  await put(receipts, text);
  const error = (await thrownBy(outcomes())) as Error;
  expect(error).toBeInstanceOf(DamagedRecord);
  expect(error.message).toContain(expected);
  expect(error.message).toMatch(
    /move it out of the folder: its images then count as not rendered, and a retry finds them/,
  );
  expect(error.message).not.toMatch(/\n|"code"|invalid_/);
});

test('a plan cut off between two lines is noticed by the shard that reads it, and an empty one by every reader', async () => {
  const readShard = createReadShard(openStore);
  await put(plan, await encodeJobs(jobs.slice(0, 1)));
  const asked = { store: store.url, shard: plan };
  await expect(readShard({ ...asked, jobs: 2 })).rejects.toThrow(
    `${plan} in ${shownPlace(store.url)} is damaged: expected 2 jobs, one a line, found 1. Restore the file`,
  );
  expect(await readShard({ ...asked, jobs: 1 })).toHaveLength(1);
  expect(await readShard(asked)).toHaveLength(1);
  await put(plan, '');
  await expect(outcomes()).rejects.toThrow(DamagedRecord);
});

test('a plan that lost rows to a cut between two lines, or a whole piece, is noticed by its receipts', async () => {
  const site = await emptyStore();
  const write = (name: string, bytes: Uint8Array) => site.replace(name, bytes, 'text/plain');
  const all = () => plannedRows(site, 'night');
  const revised = { ...jobs[1]!, prompt: 'an owl', renderKey: 'ab'.repeat(32) };
  const secondPlan = shardName('night', 2, 0);
  await write(plan, await encodeJobs(jobs));
  await write(receipts, encodeOutcomes(jobs.map((job) => receiptOf('night', job))));
  await write(secondPlan, await encodeJobs([jobs[0]!, revised]));
  await write(shardReceiptsName('night', 2, 0), encodeOutcomes([receiptOf('night', revised)]));
  expect(await all()).toHaveLength(2);

  await write(secondPlan, await encodeJobs([jobs[0]!]));
  await expect(all()).rejects.toThrow(
    `batches/night/_plan/ in ${shownPlace(site.url)} is damaged: expected every job that has a receipt, found none of "owl" with the render key abab`,
  );
  await write(plan, await encodeJobs(jobs.slice(0, 1)));
  await expect(all()).rejects.toThrow(
    `${plan} in ${shownPlace(site.url)} is damaged: expected every job that has a receipt, found none of "owl". Restore the file`,
  );
  await write(plan, await encodeJobs(jobs));
  await site.remove(secondPlan);
  await expect(all()).rejects.toThrow(DamagedRecord);
  await site.remove(shardReceiptsName('night', 2, 0));
  await write(shardReceiptsName('night', 1, 1), encodeOutcomes([receiptOf('night', revised)]));
  await expect(all()).rejects.toThrow(
    `${shardName('night', 1, 1)} in ${shownPlace(site.url)} is damaged: expected every job that`,
  );
});

test('a table that was cut off between two lines, emptied or removed is reported, not read as a smaller batch', async () => {
  const site = await emptyStore();
  const bundle = { name: 'tiny', digest: 'ab'.repeat(32) };
  const night = { store: site.url, batch: 'night', round: 1, state: 'completed' as const, bundle };
  await site.replace(plan, await encodeJobs(jobs), 'text/plain');
  await site.replace(receipts, encodeOutcomes([receiptOf('night', jobs[0]!), failureOf(jobs[1]!)]), 'text/plain');
  const lost = [{ shard: 7, reason: 'terminated' }];
  await createWriteManifest(openStore)({ ...night, startedAt: new Date(0).toISOString(), lostShards: lost });
  expect(await readBatchRows(site, 'night')).toHaveLength(2);
  const name = 'batches/night/manifest-1.jsonl';
  const [first, second] = Buffer.from(await site.read(name))
    .toString()
    .split(/(?<=\n)/);
  for (const [table, found] of [
    [first, 'expected 1 failed images, as its manifest has, found 0'],
    [second, 'expected 1 rendered images, as its manifest has, found 0'],
    ['', 'expected 1 rendered images, as its manifest has, found 0'],
    [`${first}${second}${second}`, 'expected 1 failed images, as its manifest has, found 2'],
  ] as const) {
    await site.replace(name, Buffer.from(table!), 'text/plain');
    await expect(readBatchRows(site, 'night')).rejects.toThrow(
      `${name} in ${shownPlace(site.url)} is damaged: ${found}. Restore`,
    );
  }
  await site.remove(name);
  await expect(readBatchRows(site, 'night')).rejects.toThrow(`${name} in ${shownPlace(site.url)} is damaged`);
});

test('damaged rates are ignored with a warning; missing ones and those of another version without one', async () => {
  const digest = 'ab'.repeat(32);
  const warnings: string[] = [];
  const read = () => readRates(store, digest, (message) => warnings.push(message));
  expect(await read()).toBeNull();
  await put(ratesName(digest), JSON.stringify({ format: 1, bundle: digest, whatever: {} }));
  expect(await read()).toBeNull();
  expect(warnings).toEqual([]);
  for (const damage of ['{"format":2,"bundle"', '', JSON.stringify({ format: 2, bundle: digest, sizes: { 256: 3 } })]) {
    await put(ratesName(digest), damage);
    expect(await read()).toBeNull();
    expect(warnings.pop()).toContain(
      `no estimate is made: ${ratesName(digest)} in ${shownPlace(store.url)} is damaged: expected`,
    );
  }
});

test('if the last batch of a catalog or its table is damaged, nothing is compared, and a warning says why', async () => {
  const catalog = 'file:///catalog.csv';
  const warnings: string[] = [];
  const compare = () => changesSince(store, catalog, (message) => warnings.push(message));
  await keepLatestBatch(store, catalog, 'night');
  await put(manifestName('night', 'jsonl'), Buffer.concat([...manifestJsonl([manifestRow(sampleJob, undefined)])]));
  expect(await compare()).not.toBeNull();
  expect(warnings).toEqual([]);
  await put(manifestName('night', 'jsonl'), '{"id":"fo');
  expect(await compare()).toBeNull();
  expect(warnings.pop()).toMatch(
    /^changes since .* are unknown: batches\/night\/manifest\.jsonl in .*, line 1 is damaged/,
  );
  for (const damage of ['{"catalog":"x","ba', '{"catalog":"x","batch":"../night"}']) {
    await put(latestBatchName(catalog), damage);
    expect(await compare()).toBeNull();
    expect(warnings.pop()).toContain(`are unknown: ${latestBatchName(catalog)} in ${shownPlace(store.url)} is damaged`);
  }
});

test("a retry's file is accepted only if it is complete", async () => {
  const bytes = Buffer.from('id,render_key,decision\n');
  const digest = 'c0de'.repeat(16);
  const name = revisionName('night', 'decisions', digest, 'csv');
  await put(name, bytes);
  await expect(readRevision(store, name)).rejects.toThrow(
    /decisions-c0dec0dec0de\.csv in .* is damaged: expected content that matches the digest in its name, found 23 other bytes\. Move it aside/,
  );
});
