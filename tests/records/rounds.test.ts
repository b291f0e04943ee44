import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { roundName, shardName, shardReceiptsName } from '../../records/layout.ts';
import { keepRound, type RoundSettings, roundsOf } from '../../records/rounds.ts';
import { type ObjectStore, openStore, PLAIN_TEXT } from '../../store/index.ts';

let folder: string;
let store: ObjectStore;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-rounds-'));
  store = await openStore(pathToFileURL(folder).href);
});

afterAll(() => rm(folder, { recursive: true }));

const settings: RoundSettings = {
  catalog: 'gs://bucket/catalog.csv',
  reading: { columns: { prompt: 'Caption' }, sheet: 'Icons' },
  bundle: { name: 'tiny', digest: 'ab'.repeat(32), sizes: ['256'], defaults: { steps: 2, guidance: 4 }, maxSteps: 9 },
  defaults: { size: '256', format: 'webp', quality: 90, seeds: 'fresh', decode: 'whole' },
  window: 7,
  team: { name: 'icons', weight: 3 },
  maxFailures: { share: 0.1, atLeast: 20 },
};

const put = (name: string, text = '') => store.create(name, Buffer.from(text), PLAIN_TEXT);

it('a round starts once: a second start is refused, even with the same settings', async () => {
  const round = { batch: 'once', round: 2, settings, hasWebhook: true };
  expect(await keepRound(store, round)).toBe(true);
  expect(await keepRound(store, round)).toBe(false);
  expect((await roundsOf(store, 'once')).record).toMatchObject(round);
});

it('the last round is the numerically highest that left a record, a piece of a plan or receipts', async () => {
  await put(shardName('many', 1, 0));
  for (const round of [2, 9, 10]) await keepRound(store, { batch: 'many', round, settings, hasWebhook: false });
  expect(await roundsOf(store, 'many')).toMatchObject({ last: 10, record: { round: 10 }, hasReceipts: false });
  await put(shardName('many', 11, 0));
  await put(shardReceiptsName('many', 12, 0));
  expect(await roundsOf(store, 'many')).toMatchObject({ last: 12, record: { round: 10 }, hasReceipts: true });
  expect((await roundsOf(store, 'many')).firstPiece).toBe(shardName('many', 1, 0));
});

it('files that other programs left in the folders are ignored', async () => {
  for (const name of [
    '_rounds/._3.json',
    '_rounds/3.json.bak',
    '_rounds/03.json',
    '_plan/.DS_Store',
    '_plan/._4-00000.jsonl',
    '_plan/4-0.jsonl',
  ])
    await put(`batches/foreign/${name}`);
  expect(await roundsOf(store, 'foreign')).toEqual({ last: 0, record: null, firstPiece: null, hasReceipts: false });
});

it('a truncated record is named, with what a retry can do without it', async () => {
  await keepRound(store, { batch: 'cut', round: 1, settings, hasWebhook: false });
  await rm(path.join(folder, roundName('cut', 1)), { force: true });
  await writeFile(path.join(folder, roundName('cut', 1)), '{"format":1,"ba');
  await expect(roundsOf(store, 'cut')).rejects.toThrow(
    /batches\/cut\/_rounds\/1\.json in \/.*expected what a round of the batch started with, found.*a retry then relies on the plan/,
  );
});

it('fields that a later version adds to a record are ignored', async () => {
  await keepRound(store, { batch: 'later', round: 1, settings, hasWebhook: false });
  const written = Buffer.from(await store.read(roundName('later', 1))).toString();
  await put(roundName('later', 2), written.replace('"round":1', '"round":2,"more":[1]'));
  expect((await roundsOf(store, 'later')).record).toMatchObject({ round: 2, settings });
});
