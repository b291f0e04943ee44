import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Manifest, manifestSchema } from '../../records/manifest.ts';
import { twoSizeBundle } from './two-size-bundle.ts';

/** A folder with a bundle, a place for results and catalogs: what a person would have in front of them. */
export type Workplace = {
  folder: string;
  store: string;
  bundle: string;
  /** For commands: everything set, nothing taken from the machine that runs the tests. */
  environment: NodeJS.ProcessEnv;
  catalog(name: string, text: string | Uint8Array): Promise<string>;
  remove(): Promise<void>;
};

export async function createWorkplace(): Promise<Workplace> {
  const folder = await mkdtemp(join(tmpdir(), 'pixart-e2e-'));
  const store = join(folder, 'out');
  const bundle = await twoSizeBundle(folder);
  return {
    folder,
    store,
    bundle,
    environment: {
      PIXART_STORE: store,
      PIXART_BUNDLE: bundle,
      PIXART_STATE: join(folder, 'state'),
    },
    async catalog(name, text) {
      const file = join(folder, name);
      await writeFile(file, text);
      return file;
    },
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function readManifest(store: string, batch: string): Promise<Manifest> {
  return manifestSchema.parse(JSON.parse(await readFile(join(store, 'batches', batch, 'manifest.json'), 'utf8')));
}

/** The names of a batch's images, as they lie in its folder. */
export async function imagesOf(store: string, batch: string): Promise<string[]> {
  return (await readdir(join(store, 'batches', batch))).filter((name) => name.endsWith('.png')).sort();
}

export async function objectsOf(store: string): Promise<string[]> {
  const folder = join(store, 'objects');
  return existsSync(folder) ? readdir(folder) : [];
}
