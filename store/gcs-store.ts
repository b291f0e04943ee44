import { randomUUID } from 'node:crypto';
import type { Bucket, File, FileMetadata } from '@google-cloud/storage';
import { crc32c } from './crc32c.ts';
import { bucketAndPrefix, emulatorUrl, makeClient, payer } from './gcs-client.ts';
import { downloaded } from './gcs-download.ts';
import { type Doing, gcsError, isConditionFailed, statusOf } from './gcs-errors.ts';
import { type GcsAccess, GcsObject, listingOf, WRITE_MARK } from './gcs-object.ts';
import { checkObjectName } from './object-name.ts';
import {
  type Content,
  type Created,
  type FoundObject,
  type ListedObject,
  ObjectKept,
  type ObjectMetadata,
  ObjectNotFound,
  type ObjectStat,
  type ObjectStore,
  StoreUnavailable,
} from './object-store.ts';

/** From this size on, uploads are resumable: they continue where a broken connection left them. */
const RESUMABLE_FROM_BYTES = 8 * 1024 * 1024;
const ONLY_IF_ABSENT = 0;

/**
 * A bucket as a store. Every upload carries its checksum, so that Cloud Storage refuses a damaged one before anybody can see it;
 * downloads are checked against the checksum that Cloud Storage keeps.
 */
export class GcsStore implements ObjectStore {
  readonly url: string;
  readonly #client = makeClient();
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #access: GcsAccess;
  readonly #payer = payer();

  /**
   * @param url `gs://bucket` or `gs://bucket/prefix`
   * @throws UserError for any other URL
   */
  constructor(url: string) {
    const { bucket, prefix } = bucketAndPrefix(url);
    this.url = url;
    this.#prefix = prefix;
    this.#bucket = this.#client.bucket(bucket, this.#payer);
    this.#access = {
      url,
      file: (name, generation) => this.#file(name, generation),
      attempt: (doing, action) => this.#attempt(doing, action),
      upload: (name, content, mark, generation) => this.#upload(name, content, mark, generation),
      download: (file) => this.#download(file),
      unlessThere: (error, name, wanted) => this.#unlessThere(error, name, wanted),
    };
  }

  /** @throws StoreDenied if the bucket does not exist or may not be listed */
  async check(): Promise<void> {
    await this.#attempt({ what: 'open the bucket', permissions: 'storage.objects.list' }, () =>
      this.#bucket.getFiles({ prefix: this.#prefix, maxResults: 1, autoPaginate: false }),
    );
  }

  /**
   * A service account's address, impersonated or the machine's own; `null` for a person's login, which does not name
   * the person.
   */
  async account(): Promise<string | null> {
    if (emulatorUrl() !== undefined) return null;
    const credentials = await this.#client.authClient.getCredentials().catch(() => null);
    return credentials?.client_email ?? null;
  }

  async create(name: string, data: Uint8Array, contentType: string, metadata?: ObjectMetadata): Promise<Created> {
    const mark = randomUUID();
    const doing = { what: `create ${name}`, permissions: 'storage.objects.create and storage.objects.get' };
    return this.#attempt(doing, async () => {
      try {
        const uploaded = await this.#upload(name, { data, contentType, metadata }, mark, ONLY_IF_ABSENT);
        return { created: true, stat: new GcsObject(this.#access, name, uploaded) };
      } catch (error) {
        if (!isConditionFailed(error)) throw error;
      }
      const [there] = await this.#file(name).getMetadata().catch(this.#vanished(name));
      return { created: there.metadata?.[WRITE_MARK] === mark, stat: new GcsObject(this.#access, name, there) };
    });
  }

  async replace(name: string, data: Uint8Array, contentType: string): Promise<ObjectStat> {
    const doing = { what: `write ${name}`, permissions: 'storage.objects.create and storage.objects.delete' };
    const upload = async () => {
      const uploaded = await this.#upload(name, { data, contentType }, randomUUID());
      return new GcsObject(this.#access, name, uploaded);
    };
    return this.#attempt(doing, upload).catch((error) =>
      this.#unlessThere(error, name, { bytes: data.length, crc32c: crc32c(data) }),
    );
  }

  async remove(name: string): Promise<void> {
    await this.#attempt({ what: `remove ${name}`, permissions: 'storage.objects.delete' }, () =>
      this.#file(name).delete({ ignoreNotFound: true }),
    );
  }

  async removeVersion({ name, version }: Pick<ListedObject, 'name' | 'version'>, uses?: string): Promise<boolean> {
    const conditions = { ifGenerationMatch: version, ...(uses !== undefined && { ifMetagenerationMatch: uses }) };
    return this.#attempt({ what: `remove ${name}`, permissions: 'storage.objects.delete' }, async () => {
      try {
        await this.#file(name).delete({ ...conditions, ignoreNotFound: true });
        return true;
      } catch (error) {
        if (isConditionFailed(error)) return false;
        throw error;
      }
    });
  }

  async removeEmptyFolders(): Promise<void> {}

  async read(name: string, most?: number): Promise<Uint8Array> {
    return this.#attempt({ what: `read ${name}`, permissions: 'storage.objects.get' }, () =>
      this.#download(this.#file(name), most).catch(this.#missing(name)),
    );
  }

  async stat(name: string): Promise<ObjectStat | null> {
    return this.find(name);
  }

  async find(name: string): Promise<FoundObject | null> {
    return this.#attempt({ what: `look at ${name}`, permissions: 'storage.objects.get' }, async () => {
      try {
        const [metadata] = await this.#file(name).getMetadata();
        return new GcsObject(this.#access, name, metadata);
      } catch (error) {
        if (statusOf(error) === 404) return null;
        throw error;
      }
    });
  }

  async *list(prefix: string): AsyncIterable<ListedObject> {
    const doing = { what: `list ${JSON.stringify(prefix)}`, permissions: 'storage.objects.list' };
    let pageToken: string | undefined;
    do {
      const query = { prefix: this.#prefix + prefix, autoPaginate: false, ...(pageToken && { pageToken }) };
      const [files, next] = await this.#attempt(doing, () => this.#bucket.getFiles(query));
      for (const { name, metadata } of files) {
        yield { name: name.slice(this.#prefix.length), ...listingOf(metadata) };
      }
      pageToken = (next as { pageToken?: string } | null)?.pageToken;
    } while (pageToken);
  }

  /** If the answer to a write is lost and the bucket keeps its objects, the retry is refused although the first try succeeded. */
  async #unlessThere(error: unknown, name: string, wanted: Pick<ObjectStat, 'bytes' | 'crc32c'>): Promise<ObjectStat> {
    if (!(error instanceof ObjectKept)) throw error;
    const there = await this.stat(name);
    if (there !== null && there.bytes === wanted.bytes && there.crc32c === wanted.crc32c) return there;
    throw error;
  }

  /** @google-cloud/storage 7.22 names the bucket's payer in every request but this one (findings/requester-pays-downloads.sh). */
  async #download(file: File, most?: number): Promise<Uint8Array> {
    // A part has no checksum to compare.
    const part = most === undefined ? {} : { start: 0, end: most, validation: false };
    return downloaded(file, { ...this.#payer, ...part });
  }

  #file(name: string, generation?: string): File {
    const options = generation === undefined ? {} : { generation };
    return this.#bucket.file(checkObjectName(this.#prefix + checkObjectName(name)), options);
  }

  async #upload(
    name: string,
    { data, contentType, metadata }: Content,
    mark: string,
    generation?: string | number,
  ): Promise<FileMetadata> {
    const file = this.#file(name);
    const sum = crc32c(data);
    await file.save(data, {
      resumable: data.length >= RESUMABLE_FROM_BYTES,
      validation: false,
      metadata: { contentType, crc32c: sum, metadata: { ...metadata, [WRITE_MARK]: mark } },
      ...(generation !== undefined && { preconditionOpts: { ifGenerationMatch: generation } }),
    });
    const stored = file.metadata;
    if (stored.crc32c === sum && Number(stored.size) === data.length) return stored;
    throw new StoreUnavailable(
      `store ${this.url}: sent ${name} with ${data.length} bytes and checksum ${sum}, but ${stored.size} bytes with ${stored.crc32c} arrived`,
    );
  }

  async #attempt<T>(doing: Doing, action: () => Promise<T>): Promise<T> {
    try {
      return await action();
    } catch (error) {
      if (error instanceof ObjectNotFound) throw error;
      throw gcsError(this.url, this.#bucket.name, doing, error);
    }
  }

  /** A precondition failed because of an object that has gone since; the next try sees what is there now. */
  #vanished(name: string): (error: unknown) => never {
    return (error) => {
      if (statusOf(error) !== 404) throw error;
      throw new StoreUnavailable(`store ${this.url}: ${name} existed when it was to be created, and is gone now`);
    };
  }

  #missing(name: string): (error: unknown) => never {
    return (error) => {
      if (statusOf(error) !== 404) throw error;
      throw new ObjectNotFound(`store ${this.url}: there is no object ${JSON.stringify(name)}`);
    };
  }
}
