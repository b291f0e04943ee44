import { randomUUID } from 'node:crypto';
import type { File, FileMetadata } from '@google-cloud/storage';
import { UserError } from '../domain/user-error.ts';
import { type Doing, isConditionFailed, statusOf } from './gcs-errors.ts';
import {
  type Content,
  type FoundObject,
  type ListedObject,
  ObjectChanged,
  type ObjectMetadata,
  type ObjectStat,
  StoreUnavailable,
  USE_NOTED_MS,
} from './object-store.ts';

/** An upload's own mark: if the answer to the first try is lost, the retry recognises its object by it. */
export const WRITE_MARK = 'pixart-batch-write';

/** When an object was last copied, to a day. The value matters less than the write, which gives the object a new metageneration. */
const USE_MARK = 'pixart-batch-used';

const ONLY_IF_ABSENT = 0;

/** What a GcsObject needs from its store. */
export type GcsAccess = {
  readonly url: string;
  file(name: string, generation?: string): File;
  /** @throws the store's errors */
  attempt<T>(doing: Doing, action: () => Promise<T>): Promise<T>;
  /** Writes the object, only over that generation if one is given. */
  upload(name: string, content: Content, mark: string, generation?: string | number): Promise<FileMetadata>;
  download(file: File): Promise<Uint8Array>;
  /** Swallows an ObjectKept if the kept object is the wanted one; throws any other error. */
  unlessThere(error: unknown, name: string, wanted: Pick<ObjectStat, 'bytes' | 'crc32c'>): Promise<unknown>;
};

/** An object's entry in a listing, except its name. */
export function listingOf({
  size,
  timeCreated,
  updated,
  generation,
  metageneration,
}: FileMetadata): Omit<ListedObject, 'name'> {
  const writtenAt = Date.parse(timeCreated ?? '');
  const usedAt = updated === undefined ? writtenAt : Date.parse(updated);
  return {
    ...{ bytes: Number(size), writtenAt, usedAt },
    ...{ version: String(generation), uses: String(metageneration), isShared: false },
  };
}

/** One generation of an object in a bucket. */
export class GcsObject implements FoundObject {
  readonly name: string;
  readonly bytes: number;
  readonly crc32c: string;
  readonly #generation: string;
  readonly #metadata: ObjectMetadata;
  readonly #usedAt: number;
  readonly #access: GcsAccess;

  /** @throws StoreUnavailable if the response lacks what every response of Cloud Storage has */
  constructor(access: GcsAccess, name: string, found: FileMetadata) {
    const { size, crc32c, generation, metadata } = found;
    if (size === undefined || crc32c === undefined || generation === undefined) {
      throw new StoreUnavailable(
        `object ${name}: expected size, crc32c and generation in Cloud Storage's response, found only some of them`,
      );
    }
    this.name = name;
    this.bytes = Number(size);
    this.crc32c = crc32c;
    this.#generation = String(generation);
    this.#metadata = Object.fromEntries(Object.entries(metadata ?? {}).map(([key, value]) => [key, String(value)]));
    this.#usedAt = listingOf(found).usedAt;
    this.#access = access;
  }

  get version(): string {
    return this.#generation;
  }

  async metadata(): Promise<ObjectMetadata> {
    return this.#metadata;
  }

  async describe(metadata: ObjectMetadata): Promise<void> {
    const doing = { what: `describe ${this.name}`, permissions: 'storage.objects.update' };
    await this.#access.attempt(doing, () => this.#file.setMetadata({ metadata }).catch(this.#changed));
  }

  async read(): Promise<Uint8Array> {
    return this.#access.attempt({ what: `read ${this.name}`, permissions: 'storage.objects.get' }, () =>
      this.#access.download(this.#file).catch(this.#changed),
    );
  }

  /** An account without the permission to note a use may use the object all the same. */
  async noteUse(): Promise<void> {
    if (Date.now() - this.#usedAt < USE_NOTED_MS) return;
    await this.describe({ [USE_MARK]: new Date().toISOString() }).catch((error: unknown) => {
      if (!(error instanceof UserError)) throw error;
    });
  }

  async copy(to: string): Promise<void> {
    await this.noteUse();
    const permissions = 'storage.objects.get, storage.objects.create and storage.objects.delete';
    const rewrite = () => this.#file.copy(this.#access.file(to)).catch(this.#changed);
    await this.#access
      .attempt({ what: `copy ${this.name} to ${to}`, permissions }, rewrite)
      .catch((error) => this.#access.unlessThere(error, to, this));
  }

  async supersede(aside: string, content: Content): Promise<FoundObject | null> {
    if (!(await this.#keepAside(aside))) return null;
    const mark = randomUUID();
    const permissions = 'storage.objects.get, storage.objects.create and storage.objects.delete';
    return this.#access.attempt({ what: `replace ${this.name}`, permissions }, async () => {
      try {
        const uploaded = await this.#access.upload(this.name, content, mark, this.#generation);
        return new GcsObject(this.#access, this.name, uploaded);
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
      }
      const [there] = await this.#access.file(this.name).getMetadata().catch(this.#changed);
      return there.metadata?.[WRITE_MARK] === mark ? new GcsObject(this.#access, this.name, there) : null;
    });
  }

  /** Another caller may have kept it there already. @returns false if the object is gone */
  async #keepAside(aside: string): Promise<boolean> {
    const permissions = 'storage.objects.get and storage.objects.create';
    return this.#access.attempt({ what: `copy ${this.name} to ${aside}`, permissions }, async () => {
      try {
        await this.#file.copy(this.#access.file(aside), { preconditionOpts: { ifGenerationMatch: ONLY_IF_ABSENT } });
        return true;
      } catch (error) {
        if (isConditionFailed(error)) return true;
        if (statusOf(error) === 404) return false;
        throw error;
      }
    });
  }

  get #file(): File {
    return this.#access.file(this.name, this.#generation);
  }

  readonly #changed = (error: unknown): never => {
    throw statusOf(error) === 404 ? new ObjectChanged(this.#access.url, this.name) : error;
  };
}
