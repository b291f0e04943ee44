import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import { openStore, storeUrl } from '../../store/open-store.ts';
import { describeObjectStore } from './object-store.contract.ts';

let folder: string;
let stores = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-batch-store-'));
});
afterAll(() => rm(folder, { recursive: true }));

describeObjectStore('a folder', () => openStore(storeUrl(join(folder, `store ${stores++}`))));
