import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { ROOT } from '../../infra/build/kept-build.mjs';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { findTool } from '../../infra/dev/tools.mjs';
import { openStore } from '../../store/index.ts';
import { partsOf, rowsOf, zipped } from '../catalog/workbook/make-xlsx.ts';
import { blocksOf, commandsOf } from '../docs/code-blocks.ts';
import { Reader } from './reader.ts';

// The example catalog is rendered with the shipped model.
vi.setConfig({ testTimeout: 1_800_000, hookTimeout: 120_000 });

const CATALOG = 'id,prompt\nleaf,a flat leaf on a white background\nstar,a flat star on a white background\n';

let folder: string;
let emulator: BucketEmulator;
let reader: Reader;

beforeAll(async () => {
  emulator = await startBucketEmulator();
  await emulator.createBucket('my-bucket');
  vi.stubEnv('STORAGE_EMULATOR_HOST', emulator.endpoint);
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await emulator.stop();
});

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-documents-'));
  await lookLikeAClone();
  await writeCatalogs();
  const { TEMPORAL_ADDRESS: _, ...environment } = process.env;
  reader = new Reader(folder, {
    ...environment,
    PATH: `${path.dirname(findTool('temporal')!)}:${process.env.PATH}`,
    XDG_CACHE_HOME: path.join(folder, 'cache'),
    PIXART_STORE: path.join(folder, 'out'),
    PIXART_STATE: path.join(folder, '.pixart'),
    // The student: the same pictures in a fifth of the time.
    PIXART_BUNDLE: 'pixart-icons-4-steps',
  });
});

afterEach(async () => {
  await reader.leave();
  await rm(folder, { recursive: true });
});

/** Commands write into the folder that they are typed in; the repository stays as it is. */
async function lookLikeAClone(): Promise<void> {
  const entries = await readdir(ROOT);
  const written = ['out', 'assets'];
  for (const name of entries.filter((name) => !name.startsWith('.') && !written.includes(name))) {
    await symlink(path.join(ROOT, name), path.join(folder, name));
  }
}

/** What readers have of their own. */
async function writeCatalogs(): Promise<void> {
  const rows = parse(CATALOG) as string[][];
  await writeFile(path.join(folder, 'catalog.csv'), CATALOG);
  await writeFile(path.join(folder, 'catalog.xlsx'), zipped(partsOf(rowsOf(rows))));
  await writeFile(path.join(folder, 'products.csv'), CATALOG.replace('id,prompt', 'SKU,Caption'));
  const bucket = await openStore('gs://my-bucket');
  await bucket.create('catalogs/today.csv', Buffer.from(CATALOG), 'text/csv');
}

/** As if exported from the review page: one approved, one rejected. */
async function decide(): Promise<void> {
  const table = await readFile(path.join(folder, 'out/batches/spring/manifest.csv'), 'utf8');
  const images = parse(table, { columns: true, bom: true }) as { id: string; render_key: string }[];
  const decided = images
    .slice(0, 2)
    .map(({ id, render_key }, at) => `${id},${render_key},${at ? 'rejected' : 'approved'}`);
  await writeFile(path.join(folder, 'decisions.csv'), ['id,render_key,decision', ...decided].join('\n'));
}

test.each(['README.md', 'docs/guide.md'])('every command of %s runs as it is written', async (document) => {
  const commands = blocksOf(document)
    .filter(({ language }) => language === 'sh')
    .flatMap(commandsOf);
  expect(commands.length).toBeGreaterThan(5);
  for (const command of commands) {
    if (command.includes('--approved')) await decide();
    await reader.type(command);
  }
});
