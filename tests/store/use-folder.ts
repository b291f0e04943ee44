import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll } from 'vitest';
import type { ObjectStore } from '../../store/object-store.ts';
import { openStore, storeUrl } from '../../store/open-store.ts';

/** Sets up a folder for the stores of all tests of a file. */
export function useFolder() {
  let folder: string;
  let stores = 0;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pixart-batch-store-'));
  });

  afterAll(() => rm(folder, { recursive: true }));

  /** The path of a store that does not exist yet. */
  const freshRoot = (): string => join(folder, `store ${stores++}`);

  return {
    freshRoot,
    async fresh(): Promise<{ root: string; store: ObjectStore }> {
      const root = freshRoot();
      return { root, store: await openStore(storeUrl(root)) };
    },
  };
}
