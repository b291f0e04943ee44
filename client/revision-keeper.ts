import { createHash } from 'node:crypto';
import type { CatalogFormat } from '../domain/catalog-settings.ts';
import { UserError } from '../domain/user-error.ts';
import { revisionName, termsName } from '../records/layout.ts';
import type { ObjectStore } from '../store/index.ts';
import type { CatalogReading, CatalogSource } from '../workflows/contract/batch.ts';
import { keepOnce } from './keep-once.ts';
import type { ReadFiles } from './requested-jobs.ts';

export type CorrectedCatalog = {
  files: ReadFiles;
  format: CatalogFormat;
  reading: CatalogReading;
  /** Rows that are to be made and come out otherwise. */
  changed: number;
  /** Ids of the others that it changes or adds: they have their image, or the batch does not know them. */
  leftAside: string[];
};

type Corrected = NonNullable<Extract<CatalogSource, { kind: 'retry' }>['corrected']>;

/** Puts what a retry is told into the batch's folder, where the orchestrator finds it. */
export class RevisionKeeper {
  readonly #store: ObjectStore;
  readonly #batch: string;

  constructor(store: ObjectStore, batch: string) {
    this.#store = store;
    this.#batch = batch;
  }

  /** @throws UserError where a file of terms is not what the batch's catalog was expanded with */
  async corrected({ files, format, reading }: CorrectedCatalog): Promise<Corrected> {
    for (const [name, bytes] of files.terms) {
      const isKept = await keepOnce(this.#store, termsName(this.#batch, name), bytes);
      if (isKept) continue;
      throw new UserError(
        `terms ${name}: expected what batch ${this.#batch} was expanded with, found a file that has changed since: put it back, or submit ` +
          'the corrected catalog as another batch',
      );
    }
    return { ...reading, format, name: await this.#keep('corrected', files.catalog, format) };
  }

  decisions(bytes: Uint8Array): Promise<string> {
    return this.#keep('decisions', bytes, 'csv');
  }

  /** Under a digest of it, so that there is nothing else under its name. */
  async #keep(what: 'corrected' | 'decisions', bytes: Uint8Array, format: CatalogFormat): Promise<string> {
    const digest = createHash('sha256').update(bytes).digest('hex');
    const name = revisionName(this.#batch, what, digest, format);
    if (await keepOnce(this.#store, name, bytes)) return name;
    throw new UserError(`${name} in ${this.#store.url}: expected what its name is a digest of, found something else`);
  }
}
