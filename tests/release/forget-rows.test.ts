import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { batchEnd, retryBatch, reviewPageEnd, verifyBatch } from '../../client/index.ts';
import { forgetRows, survey } from '../../forgetting/index.ts';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { plannedRows } from '../../records/batch-rows.ts';
import { FileStore } from '../../store/file-store.ts';
import { GcsStore } from '../../store/gcs-store.ts';
import type { ObjectStore } from '../../store/index.ts';
import { isIn } from '../forgetting/words.ts';
import { startFaultyNetwork } from '../store/faulty-network.ts';
import { retentionPolicy } from '../store/retention-policy.ts';
import { type Site, startSite } from '../workflows/site.ts';

const ACME = [{ column: 'prompt', pattern: '*zebra*' }];
const sought = { filters: ACME, bundles: [] };

vi.setConfig({ testTimeout: 400_000, hookTimeout: 400_000 });

let emulator: BucketEmulator;
let folder: Site;
let bucket: Site;

/** A batch of two rounds, in the second of which a picture was made again, and its review page. */
async function twoRounds(site: Site): Promise<void> {
  await site.submit('spring', ['a zebra mug,256', 'a red lamp,256']);
  await batchEnd(site.client, 'spring');
  const [zebra] = (await site.manifest('spring')).images;
  const decisions = path.join(site.folder, 'decisions.csv');
  await writeFile(decisions, `id,render_key,decision\n${zebra!.id},${zebra!.renderKey},rejected\n`);
  await retryBatch(site.client, 'spring', { decisions });
  const end = await batchEnd(site.client, 'spring');
  if (end.state === 'completed') await reviewPageEnd(site.client, end.result);
  await site.submit('summer', ['a zebra mug,256', 'a red lamp,256']);
  const night = await batchEnd(site.client, 'summer');
  if (night.state === 'completed') await reviewPageEnd(site.client, night.result);
}

beforeAll(async () => {
  emulator = await startBucketEmulator();
  await emulator.createBucket('archive');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
  folder = await startSite();
  bucket = await startSite({ storeUrl: 'gs://archive/images' });
  await twoRounds(folder);
  await twoRounds(bucket);
});

afterAll(async () => {
  await folder.stop();
  await bucket.stop();
  await emulator.stop();
  vi.unstubAllEnvs();
});

const nothing = (): void => {};
const forget = async (store: ObjectStore, isHeld = false) =>
  forgetRows(store, await survey(store, sought, nothing), async () => isHeld, nothing);

/** What lies in a store, by a digest of each object's bytes. */
async function contents(store: ObjectStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { name } of store.list('')) {
    found[name] = createHash('sha256')
      .update(await store.read(name))
      .digest('hex');
  }
  return found;
}

async function namesWith(store: ObjectStore, word: string): Promise<string[]> {
  const found: string[] = [];
  for await (const { name } of store.list('')) if (isIn(name, await store.read(name), word)) found.push(name);
  return found;
}

/** A copy of the folder's store, links and modes as they are. */
async function copied(name: string): Promise<{ store: FileStore; drop: () => Promise<void> }> {
  const place = path.join(folder.folder, name);
  await promisify(execFile)('cp', ['-a', path.join(folder.folder, 'out'), place]);
  return { store: new FileStore(pathToFileURL(place).href), drop: () => rm(place, { recursive: true }) };
}

class Killed extends Error {}

/** Lets this many changes through, and then nothing. */
function diesAfter(store: ObjectStore, changes: number): ObjectStore {
  let left = changes;
  const changing = new Set<string | symbol>(['create', 'replace', 'remove', 'removeVersion']);
  return new Proxy(store, {
    get(target, property) {
      const member = Reflect.get(target, property, target);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (changing.has(property) && --left < 0) throw new Killed();
        return member.apply(target, args);
      };
    },
  });
}

test('killed after any change, the same request finds the rest, and the batch can be read all the while', async () => {
  expect((await namesWith(folder.store, 'zebra')).length).toBeGreaterThan(10);
  const whole = await copied('whole');
  expect(await forget(whole.store)).toEqual([]);
  expect(await namesWith(whole.store, 'zebra')).toEqual([]);
  const expected = await contents(whole.store);
  await whole.drop();
  for (let changes = 0; ; changes += 1) {
    const { store, drop } = await copied(`killed-${changes}`);
    const found = await survey(store, sought, nothing);
    const dying = diesAfter(store, changes);
    for (const object of Object.values(found.removals).flat()) object.store = dying;
    const ended = await forgetRows(dying, found, async () => false, nothing).catch((error: unknown) => error);
    await plannedRows(store, 'spring');
    expect(await forget(store)).toEqual([]);
    expect(await contents(store)).toEqual(expected);
    await drop();
    if (!(ended instanceof Killed)) break;
  }
});

test('what is left of a batch is verified, and other rows keep their pictures and records', async () => {
  const { store, drop } = await copied('verified');
  await forget(store);
  expect(await verifyBatch('spring', { store: store.url })).toMatchObject({ images: 1, differences: [] });
  expect((await plannedRows(store, 'spring')).map(({ hasImage }) => hasImage)).toEqual([true]);
  await drop();
});

test('while the server has not forgotten a batch its plan stays, so that the rows are found again', async () => {
  const { store, drop } = await copied('held');
  const left = await forget(store, true);
  expect(left.map(({ name }) => name)).toContain('batches/spring/_plan/1-00000.jsonl');
  expect((await namesWith(store, 'zebra')).every((name) => name.includes('/_plan/'))).toBe(true);
  expect(await forget(store)).toEqual([]);
  expect(await namesWith(store, 'zebra')).toEqual([]);
  await drop();
});

test('what a bucket keeps is listed with the reason, and goes when the policy lets it', async () => {
  const store = bucket.store;
  const before = await namesWith(store, 'zebra');
  expect(before.length).toBeGreaterThan(10);
  // Objects from before the network stood are none of its policy's; one of them is held.
  const held = before.find((name) => name.startsWith('objects/'))!;
  const policy = retentionPolicy(86_400_000);
  const network = await startFaultyNetwork(emulator.endpoint, policy);
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
  const kept = new GcsStore(store.url);
  await kept.replace(held, await store.read(held), 'image/png');
  const left = await forget(kept);
  expect(left[0]).toMatchObject({
    name: held,
    why: expect.stringMatching(/^a retention policy keeps what is there until/),
  });
  expect(left.slice(1).every(({ name }) => name.includes('/_plan/'))).toBe(true);
  await network.stop();
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
  expect(await forget(store)).toEqual([]);
  expect(await namesWith(store, 'zebra')).toEqual([]);
});
