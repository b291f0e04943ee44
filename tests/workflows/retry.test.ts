import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { batchEnd, batchProgress, retryBatch, submitBatch } from '../../client/index.ts';
import { seedOf } from '../../domain/seed.ts';
import { UserError } from '../../domain/user-error.ts';
import { readBatchRows } from '../../records/batch-rows.ts';
import type { Manifest } from '../../records/manifest.ts';
import { BUNDLE, type Site, startSite } from './site.ts';

/** While set, pictures of this prompt fail. */
let broken = '';

const before = ({ prompt }: { prompt: string }): void => {
  if (prompt.includes('impossible') || prompt === broken) throw new UserError('this picture cannot be made');
};

let site: Site;

beforeAll(async () => {
  site = await startSite({ before });
});

afterAll(() => site?.stop());

async function submitted(batch: string, rows: string[]): Promise<Manifest> {
  await site.submit(batch, rows);
  await batchEnd(site.client, batch);
  return site.manifest(batch);
}

/** Writes a file beside the catalogs and returns its path. */
async function file(name: string, lines: string[]): Promise<string> {
  const written = await site.catalog(name, []);
  await writeFile(written, `${lines.join('\n')}\n`);
  return written;
}

it('a retry renders failed rows as in a corrected catalog, and leaves rows with an image alone', async () => {
  const first = await submitted('corrected', ['a fox,256', 'an impossible stair,256', 'an impossible arch,512']);
  const [stair, arch] = first.failures;
  const [fox] = first.images;
  const catalog = await file('edited.csv', [
    'id,prompt,size',
    `${stair!.id},a stair of stone,512`,
    `${fox!.id},another fox,256`,
    'new,a row that the batch does not have,256',
  ]);
  const retried = await retryBatch(site.client, 'corrected', { corrected: { catalog } });
  expect(retried).toEqual({
    ...{ round: 2, missing: 2, corrected: 1, rejected: 0, leftAside: [fox!.id, 'new'] },
    ...{ from: 'server', isWebhookLost: false },
    settings: { store: site.store.url, bundle: BUNDLE.name, window: 4, maxFailures: { share: 0.1, atLeast: 20 } },
  });
  await batchEnd(site.client, 'corrected');
  const second = await site.manifest('corrected');
  expect(second.images.map(({ id, prompt }) => [id, prompt])).toEqual([
    [fox!.id, 'a fox'],
    [stair!.id, 'a stair of stone'],
  ]);
  expect(second.failures).toMatchObject([{ id: arch!.id, prompt: 'an impossible arch' }]);
  expect(second.totals).toMatchObject({ jobs: 3, rendered: 2, failed: 1 });

  const still = await retryBatch(site.client, 'corrected');
  expect(still).toMatchObject({ round: 3, missing: 1, corrected: 0, rejected: 0, leftAside: [] });
  await batchEnd(site.client, 'corrected');
  expect((await site.manifest('corrected')).images).toEqual(second.images);
});

it('a retry renders rejected images again with other seeds, once for each rejection, and keeps the rejected ones', async () => {
  const first = await submitted('judged', ['a hat,256', 'a coat,256', 'a shoe,512']);
  const [hat, coat, shoe] = first.images;
  const decisions = await file('decisions.csv', [
    'id,render_key,decision',
    `${hat!.id},${hat!.renderKey},rejected`,
    `${coat!.id},${coat!.renderKey},approved`,
    `${shoe!.id},${'0'.repeat(64)},rejected`,
  ]);
  expect(await retryBatch(site.client, 'judged', { decisions })).toMatchObject({ round: 2, rejected: 1 });
  await batchEnd(site.client, 'judged');
  const second = await site.manifest('judged');
  expect(second.images.slice(1)).toEqual([coat, shoe]);
  const again = second.images[0]!;
  expect(again).toMatchObject({ id: hat!.id, copy: hat!.copy, outcome: 'rendered' });
  expect(again.renderKey).not.toBe(hat!.renderKey);
  expect(await site.store.stat(hat!.object)).not.toBeNull();
  expect(await site.store.stat(hat!.copy)).toMatchObject({ crc32c: again.crc32c });
  const rows = await readBatchRows(site.store, 'judged');
  expect(rows.find(({ id }) => id === hat!.id)).toMatchObject({ render_key: again.renderKey, prompt: 'a hat' });
  const { totals } = await batchProgress(site.client, 'judged');
  expect(totals).toMatchObject({ jobs: 3, rendered: 3, failed: 0 });

  await expect(retryBatch(site.client, 'judged', { decisions })).rejects.toThrow('found other images');
});

it("a rejected image that cannot be rendered again is a failed row, and is not delivered in the new one's place", async () => {
  const first = await submitted('again', ['a glove,256', 'a scarf,256']);
  const [glove, scarf] = first.images;
  const decisions = await file('again.csv', ['id,render_key,decision', `${glove!.id},${glove!.renderKey},rejected`]);
  broken = 'a glove';
  await retryBatch(site.client, 'again', { decisions });
  await batchEnd(site.client, 'again');
  const second = await site.manifest('again');
  expect(second).toMatchObject({ totals: { rendered: 1, failed: 1 }, failures: [{ id: glove!.id }], images: [scarf] });
  expect((await batchProgress(site.client, 'again')).totals).toMatchObject({ rendered: 1, failed: 1 });
  broken = '';
  expect(await retryBatch(site.client, 'again')).toMatchObject({ round: 3 });
  await batchEnd(site.client, 'again');
  const third = await site.manifest('again');
  expect(third.totals).toMatchObject({ rendered: 2, failed: 0 });
  expect(third.images[0]).toMatchObject({ id: glove!.id, outcome: 'rendered' });
  expect(third.images[0]!.renderKey).not.toBe(glove!.renderKey);
});

it('a corrected catalog brings its own files of terms', async () => {
  const terms = path.join(path.dirname(await file('x.csv', [])), 'terms');
  const catalog = await file('worded.csv', ['prompt,size', 'an impossible __colours__ pot,256']);
  await mkdir(terms, { recursive: true });
  await writeFile(path.join(terms, 'colours.txt'), 'red\n');
  await writeFile(path.join(terms, 'things.txt'), 'vase\n');
  await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE, batch: 'worded', expansion: {} });
  await batchEnd(site.client, 'worded');
  const [pot] = (await site.manifest('worded')).failures;
  const corrected = (others: string) =>
    file('worded-edited.csv', ['id,prompt,size', `${pot!.id},a pot,256`, `more,${others},256`]);
  const edited = await corrected('a __things__');
  await retryBatch(site.client, 'worded', { corrected: { catalog: edited } });
  await batchEnd(site.client, 'worded');
  expect((await site.manifest('worded')).failures).toEqual([]);
  const kept = await site.store.read('batches/worded/_catalog/terms/things.txt');
  expect(Buffer.from(kept).toString()).toBe('vase\n');
});

it('a corrected catalog may not use a file of terms that has changed since the batch was expanded with it', async () => {
  const terms = path.join(path.dirname(await file('y.csv', [])), 'terms');
  await mkdir(terms, { recursive: true });
  await writeFile(path.join(terms, 'shades.txt'), 'red\n');
  const catalog = await file('shaded.csv', ['id,prompt,size', 'cap,an impossible cap,256', 'tie,a __shades__ tie,256']);
  await submitBatch(site.client, { catalog, store: site.store.url, bundle: BUNDLE, batch: 'shaded', expansion: {} });
  await batchEnd(site.client, 'shaded');
  await writeFile(path.join(terms, 'shades.txt'), 'blue\n');
  const edited = await file('shaded.csv', ['id,prompt,size', 'cap,a cap,256', 'tie,a __shades__ tie,256']);
  const retried = retryBatch(site.client, 'shaded', { corrected: { catalog: edited } });
  await expect(retried).rejects.toThrow('terms shades: expected the file that batch shaded was expanded with');
});

it("a corrected catalog may be a list of prompts, which ignores the first one's mapping, and gets fresh seeds like the batch", async () => {
  const catalog = await file('mapped.csv', ['name,Caption,size', 'stair,an impossible stair,256']);
  const columns = { id: 'name', prompt: 'Caption' };
  const defaults = { seeds: 'fresh' as const };
  await submitBatch(site.client, {
    catalog,
    store: site.store.url,
    bundle: BUNDLE,
    batch: 'mapped',
    columns,
    defaults,
  });
  await batchEnd(site.client, 'mapped');
  const corrected = { catalog: await file('mapped.txt', ['--id stair --prompt "a stair of stone" --size 256']) };
  expect(await retryBatch(site.client, 'mapped', { corrected })).toMatchObject({ missing: 1, corrected: 1 });
  await batchEnd(site.client, 'mapped');
  const [row] = await readBatchRows(site.store, 'mapped');
  expect(row).toMatchObject({
    id: 'stair',
    status: 'rendered',
    prompt: 'a stair of stone',
    seed: seedOf('a stair of stone', 'mapped'),
  });
});

it('a rejected row that is also in a corrected catalog is rendered as in that catalog', async () => {
  const first = await submitted('both', ['a cup,256', 'a plate,256']);
  const [cup] = first.images;
  const decisions = await file('both.csv', ['id,render_key,decision', `${cup!.id},${cup!.renderKey},rejected`]);
  const catalog = await file('both-edited.csv', ['id,prompt,size', `${cup!.id},a blue cup,256`]);
  const retried = await retryBatch(site.client, 'both', { decisions, corrected: { catalog } });
  expect(retried).toMatchObject({ round: 2, missing: 0, corrected: 1, rejected: 1, leftAside: [] });
  await batchEnd(site.client, 'both');
  expect((await site.manifest('both')).images[0]).toMatchObject({ id: cup!.id, prompt: 'a blue cup' });
});

it('a retry whose corrections only concern rows with an image says so', async () => {
  const first = await submitted('made', ['a door,256', 'an impossible gate,256']);
  const [door] = first.images;
  const catalog = await file('made-edited.csv', ['id,prompt,size', `${door!.id},a green door,256`]);
  const retried = retryBatch(site.client, 'made', { corrected: { catalog } });
  await expect(retried).rejects.toThrow(`found none. Changed rows (${door!.id}) already have their images, which stay`);
});

it('a retry with wrong or empty corrections starts nothing, and says why', async () => {
  await submitted('refused', ['an impossible door,256']);
  const wrong = await file('wrong.csv', ['prompt,size', ',256', 'a door,257']);
  const refused = (catalog: string) => retryBatch(site.client, 'refused', { corrected: { catalog } });
  await expect(refused(wrong)).rejects.toThrow('2 problems in the catalog');
  const unnamed = await file('unnamed.csv', ['prompt,size', 'a door,256']);
  await expect(refused(unnamed)).rejects.toThrow(
    /expected changes in rows that will be rendered again .* found none\. 1 of its rows have ids .*\. The id of a row without one/,
  );
  const [door] = (await site.manifest('refused')).failures;
  const same = await file('same.csv', ['id,prompt,size', `${door!.id},an impossible door,256`]);
  await expect(refused(same)).rejects.toThrow('expected changes in rows that will be rendered again');
  const decisions = await file('none.csv', ['id,render_key,decision']);
  await expect(retryBatch(site.client, 'refused', { decisions })).rejects.toThrow('found none rejected');
  expect(await batchProgress(site.client, 'refused')).toMatchObject({ round: 1 });
});
