import { cp, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import {
  BatchExists,
  batchEnd,
  cancelBatch,
  keptBatch,
  type RetryRequest,
  retryBatch,
  retrying,
  submitBatch,
} from '../../client/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { roundName, shardReceiptsName } from '../../records/layout.ts';
import type { Manifest } from '../../records/manifest.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { Outage } from './outage.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

vi.setConfig({ testTimeout: 120_000 });

let site: Site;
/** Works on the same store without knowing the first site's batches, like a server that has forgotten them. */
let other: Site;
let store: string;

const before = ({ prompt }: { prompt: string }): void => {
  if (prompt.includes('impossible')) throw new UserError('this picture cannot be made');
};

const outage = new Outage();

beforeAll(async () => {
  site = await startSite({ before, open: outage.open });
  other = await startSite({ before, beside: site });
  store = path.join(site.folder, 'out');
});

afterAll(async () => {
  await other?.stop();
  await site?.stop();
});

async function submitted(batch: string, rows: string[]): Promise<Manifest> {
  await site.submit(batch, rows);
  await batchEnd(site.client, batch);
  return site.manifest(batch);
}

/** Leaves a batch as versions did that recorded no rounds. */
const dropRecord = (batch: string) => rm(path.join(store, roundName(batch, 1)));

async function file(name: string, lines: string[]): Promise<string> {
  const written = await site.catalog(name, []);
  await writeFile(written, `${lines.join('\n')}\n`);
  return written;
}

/** Retries a batch on the server that does not know it. */
async function retried(batch: string, request: RetryRequest = {}): Promise<Manifest> {
  await retryBatch(other.client, batch, { store, ...request });
  await batchEnd(other.client, batch);
  return site.manifest(batch);
}

it("a batch that the server has forgotten is retried from its store with its last round's settings, keeping earlier receipts", async () => {
  const catalog = await site.catalog('old.csv', ['a fox,256', 'an impossible stair,256']);
  const [team, webhook] = [{ name: 'icons', weight: 2 }, 'http://127.0.0.1:9/hook?token=secret'];
  const how = { window: 3, team, webhook, maxFailures: { count: 5 } };
  await submitBatch(site.client, { catalog, store, bundle: BUNDLE, batch: 'old', ...how });
  await batchEnd(site.client, 'old');
  const first = await site.manifest('old');
  const receipts = await site.store.read(shardReceiptsName('old', 1, 0));
  expect(Buffer.from(await site.store.read(roundName('old', 1))).toString()).not.toContain('secret');

  const stranger = { ...BUNDLE, digest: 'cd'.repeat(32) };
  await expect(retried('old', { bundle: stranger })).rejects.toThrow('found simulated (cdcdcdcdcdcd): leave it out');
  await expect(retryBatch(other.client, 'old')).rejects.toThrow(/old: unknown to the Temporal server .*\(--store\)/);
  const retry = await retryBatch(other.client, 'old', { store });
  expect(retry).toMatchObject({ round: 2, missing: 1, from: 'record', isWebhookLost: true });
  expect(retry.settings).toEqual({
    ...{ store: site.store.url, bundle: BUNDLE.name },
    ...{ window: 3, team, maxFailures: { count: 5 } },
  });
  await batchEnd(other.client, 'old');
  expect(await site.manifest('old')).toMatchObject({ round: 2, images: first.images, totals: { failed: 1 } });
  expect(await site.store.read(shardReceiptsName('old', 1, 0))).toEqual(receipts);
});

it('a server that knows only an earlier round continues after the last one, wherever that ran', async () => {
  await submitted('there', ['an impossible stair,256']);
  await retryBatch(other.client, 'there', { store, window: 9 });
  await batchEnd(other.client, 'there');
  const back = await retryBatch(site.client, 'there');
  expect(back).toMatchObject({ round: 3, from: 'record', settings: { window: 9 } });
  await batchEnd(site.client, 'there');
  const again = await retryBatch(site.client, 'there', { window: 2 });
  expect(again).toMatchObject({ round: 4, from: 'server', settings: { window: 2 } });
  await batchEnd(site.client, 'there');
});

it('rejected images and rows of a corrected catalog are rendered again without the history, read like the first catalog', async () => {
  const catalog = await file('worded.csv', ['id,Caption', 'fox,a fox', 'stair,an impossible stair']);
  const request = { catalog, store, bundle: BUNDLE, columns: { prompt: 'Caption' }, batch: 'worded' };
  await submitBatch(site.client, { ...request, defaults: { size: '512', format: 'webp' } });
  await batchEnd(site.client, 'worded');
  const [fox] = (await site.manifest('worded')).images;
  const decisions = await file('worded-decisions.csv', [
    'id,render_key,decision',
    `${fox!.id},${fox!.renderKey},rejected`,
  ]);
  const corrected = { catalog: await file('worded-edited.csv', ['id,Caption', 'fox,a fox', 'stair,a stair']) };
  const second = await retried('worded', { decisions, corrected });
  expect(second).toMatchObject({ round: 2, totals: { rendered: 2, failed: 0 } });
  expect(second.images.map(({ id, prompt, copy }) => [id, prompt, copy])).toEqual([
    ['fox', 'a fox', fox!.copy],
    ['stair', 'a stair', 'batches/worded/stair.webp'],
  ]);
  expect(second.images.map(({ width }) => width)).toEqual([512, 512]);
  expect(second.images[0]!.renderKey).not.toBe(fox!.renderKey);
});

it("for a batch of an earlier version, the bundle comes from the plan, and the corrected catalog's settings from its own catalog", async () => {
  const catalog = await file('early.csv', ['id,prompt', 'fox,a fox', 'stair,an impossible stair']);
  const request = { catalog, store, bundle: BUNDLE, batch: 'early' };
  await submitBatch(site.client, { ...request, defaults: { size: '512', format: 'jpeg' } });
  await batchEnd(site.client, 'early');
  await dropRecord('early');
  await expect(retried('early')).rejects.toThrow(
    /expected the bundle that it was planned with, .*Name it with --bundle/,
  );
  const stranger = { ...BUNDLE, digest: 'cd'.repeat(32) };
  await expect(retried('early', { bundle: stranger })).rejects.toThrow('found simulated (cdcdcdcdcdcd), whose keys');
  const corrected = { catalog: await file('early-edited.csv', ['id,prompt', 'stair,a stair']) };
  const retry = await retryBatch(other.client, 'early', { store, bundle: BUNDLE, corrected });
  expect(retry).toMatchObject({ from: 'plan', missing: 1, isWebhookLost: true, settings: { window: 64 } });
  await batchEnd(other.client, 'early');
  const { images } = await site.manifest('early');
  expect(images.map(({ id, width, copy }) => [id, width, copy])).toEqual([
    ['fox', 512, 'batches/early/fox.jpg'],
    ['stair', 512, 'batches/early/stair.jpg'],
  ]);
});

it('if it is not recorded how an earlier version read a batch’s catalog, a corrected one is refused', async () => {
  const catalog = await file('mapped.csv', ['id,Caption', 'stair,an impossible stair']);
  const columns = { prompt: 'Caption' };
  await submitBatch(site.client, { catalog, store, bundle: BUNDLE, columns, batch: 'mapped' });
  await batchEnd(site.client, 'mapped');
  await dropRecord('mapped');
  const edited = await file('mapped-edited.csv', ['id,prompt', 'stair,a stair']);
  const corrected = (more: object) => retried('mapped', { bundle: BUNDLE, corrected: { catalog: edited, ...more } });
  await expect(corrected({})).rejects.toThrow('reading its catalog in the default way does not reproduce its plan');
  expect(await keptBatch(store, 'mapped')).toMatchObject({ round: 1 });
});

it('a round that ended without a manifest is retried for it although no image is missing, and then nothing is left to do', async () => {
  outage.begin('batches/unwritten/manifest', 'fails');
  await site.submit('unwritten', ['a heron,256', 'an egret,512']);
  // Between two attempts: one in progress would write the manifest after all.
  const isRetrying = async () =>
    (await retrying(site.client, 'unwritten')).some(({ activity }) => activity === 'writeManifest');
  await vi.waitUntil(isRetrying, { timeout: 30_000, interval: 50 });
  await expect(retryBatch(site.client, 'unwritten')).rejects.toThrow('it is still running');
  await site.client.temporal.workflow.getHandle(batchWorkflowId('unwritten')).terminate('a test');
  outage.end('batches/unwritten/manifest');
  expect(await keptBatch(store, 'unwritten')).toMatchObject({ state: 'unfinished', round: 1, totals: null });

  expect(await retryBatch(site.client, 'unwritten')).toMatchObject({ round: 2, missing: 0, from: 'server' });
  expect(await batchEnd(site.client, 'unwritten')).toMatchObject({ state: 'completed' });
  const manifest = await site.manifest('unwritten');
  expect(manifest).toMatchObject({ round: 2, totals: { jobs: 2, rendered: 2, failed: 0 } });
  expect(manifest.images).toHaveLength(2);
  await expect(retryBatch(site.client, 'unwritten')).rejects.toThrow('nothing to retry');
  await expect(retried('unwritten')).rejects.toThrow('nothing to retry');
});

it('after a round that was terminated at its start, the next one completes everything', async () => {
  const [fox] = (await submitted('begun', ['a marten,256', 'a stoat,256'])).images;
  const decisions = await file('begun-decisions.csv', [
    'id,render_key,decision',
    `${fox!.id},${fox!.renderKey},rejected`,
  ]);
  await retryBatch(site.client, 'begun', { decisions });
  await site.client.temporal.workflow.getHandle(batchWorkflowId('begun')).terminate('a test');
  expect(await keptBatch(store, 'begun')).toMatchObject({ state: 'unfinished', round: 2, totals: { jobs: 2 } });
  expect(await retryBatch(site.client, 'begun')).toMatchObject({ round: 3, from: 'server' });
  await batchEnd(site.client, 'begun');
  expect(await site.manifest('begun')).toMatchObject({ round: 3, totals: { jobs: 2, failed: 0, cancelled: 0 } });
});

it.each(['manifest-1.json', 'manifest-1.jsonl'])('a truncated %s is rewritten by a retry', async (name) => {
  const batch = `cut-${name}`;
  const first = await submitted(batch, ['a fox,256', 'an owl,256']);
  const cut = path.join(store, 'batches', batch, name);
  const bytes = await site.store.read(`batches/${batch}/${name}`);
  await rm(cut);
  await writeFile(cut, bytes.subarray(0, bytes.length - 20));
  const second = await retried(batch);
  expect(second).toMatchObject({ round: 2, images: first.images });
});

it('of two simultaneous retries, one runs and the other is refused', async () => {
  await submitted('twice', ['an impossible stair,256']);
  const both = await Promise.allSettled([1, 2].map(() => retryBatch(site.client, 'twice')));
  const refused = both.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
  expect(refused).toHaveLength(1);
  expect(refused[0]).toBeInstanceOf(UserError);
  expect(refused[0].message).toMatch(/someone else started round 2|it is still running/);
  await batchEnd(site.client, 'twice');
});

it('a batch is found after its store was moved, and the error for a missing one names both places', async () => {
  await submitted('moved', ['an impossible stair,256']);
  const elsewhere = path.join(site.folder, 'elsewhere');
  await cp(path.join(store, 'batches', 'moved'), path.join(elsewhere, 'batches', 'moved'), { recursive: true });
  // What was told last may still be being written.
  await rm(path.join(store, 'batches', 'moved'), { recursive: true, maxRetries: 5 });
  await expect(retryBatch(site.client, 'moved')).rejects.toThrow(
    /moved: expected its plan at batches\/moved\/_plan\/ in \/.*\/out, found none. .* name the store where the batch is now/,
  );
  expect(await retryBatch(site.client, 'moved', { store: elsewhere })).toMatchObject({ round: 2, from: 'record' });
  await batchEnd(site.client, 'moved');
  await expect(retried('nowhere')).rejects.toThrow(/nowhere: unknown .*; expected its plan at .*, found none/);
});

it('a batch that is complete or was retried does not start over under its id, although the server has forgotten it', async () => {
  const rows = ['an impossible stair,256'];
  await submitted('again', rows);
  await expect(other.submit('again', rows)).rejects.toBeInstanceOf(BatchExists);
  await retryBatch(site.client, 'again');
  await cancelBatch(site.client, 'again');
  await batchEnd(site.client, 'again');
  await expect(other.submit('again', rows)).rejects.toBeInstanceOf(BatchExists);
});
