import { randomUUID } from 'node:crypto';
import { type Bucket, type FileMetadata, IdempotencyStrategy, Storage } from '@google-cloud/storage';
import { UserError } from '../domain/user-error.ts';
import { Crc32c, crc32c } from './crc32c.ts';
import { type Doing, gcsError, reasonOf, statusOf } from './gcs-errors.ts';
import { checkObjectName } from './object-name.ts';
import {
  type Created,
  type ListedObject,
  ObjectKept,
  ObjectNotFound,
  type ObjectStat,
  type ObjectStore,
  StoreUnavailable,
} from './object-store.ts';

/** Above this an upload is worth a session of its own, which goes on where a broken connection left it. */
const RESUMABLE_FROM_BYTES = 8 * 1024 * 1024;
/** An upload's own mark, by which a retry recognises the object of its first try, whose answer was lost. */
const WRITE_MARK = 'pixart-batch-write';
const ONLY_IF_ABSENT = 0;

type Content = Pick<ObjectStat, 'bytes' | 'crc32c'>;

/**
 * A bucket as a store. The checksum travels with every upload, so that Cloud Storage refuses a damaged one before
 * anybody can see it; downloads are checked against the checksum that it keeps.
 */
export class GcsStore implements ObjectStore {
  readonly url: string;
  readonly #bucket: Bucket;
  readonly #prefix: string;
  readonly #payer = payer();

  /**
   * @param url `gs://bucket` or `gs://bucket/prefix`
   * @throws UserError where the URL is something else
   */
  constructor(url: string) {
    const { bucket, prefix } = parseUrl(url);
    this.url = url;
    this.#prefix = prefix;
    this.#bucket = makeClient().bucket(bucket, this.#payer);
  }

  /** @throws StoreDenied where the bucket does not exist or may not be listed. */
  async check(): Promise<void> {
    await this.#attempt({ what: 'open the bucket', permissions: 'storage.objects.list' }, () =>
      this.#bucket.getFiles({ prefix: this.#prefix, maxResults: 1, autoPaginate: false }),
    );
  }

  async create(name: string, data: Uint8Array, contentType: string): Promise<Created> {
    const mark = randomUUID();
    const doing = { what: `create ${name}`, permissions: 'storage.objects.create and storage.objects.get' };
    return this.#attempt(doing, async () => {
      try {
        return { created: true, stat: await this.#upload(name, data, contentType, { mark, onlyIfAbsent: true }) };
      } catch (error) {
        if (statusOf(error) !== 412 || reasonOf(error) === 'orgPolicyConstraintFailed') throw error;
      }
      const [there] = await this.#file(name).getMetadata().catch(this.#vanished(name));
      return { created: there.metadata?.[WRITE_MARK] === mark, stat: toStat(name, there) };
    });
  }

  async replace(name: string, data: Uint8Array, contentType: string): Promise<ObjectStat> {
    const doing = { what: `write ${name}`, permissions: 'storage.objects.create and storage.objects.delete' };
    const upload = () => this.#upload(name, data, contentType, { mark: randomUUID(), onlyIfAbsent: false });
    return this.#attempt(doing, upload).catch((error) =>
      this.#unlessThere(error, name, async () => ({ bytes: data.length, crc32c: crc32c(data) })),
    );
  }

  async copy(from: string, to: string): Promise<void> {
    const permissions = 'storage.objects.get, storage.objects.create and storage.objects.delete';
    const rewrite = () => this.#file(from).copy(this.#file(to)).catch(this.#missing(from));
    await this.#attempt({ what: `copy ${from} to ${to}`, permissions }, rewrite).catch((error) =>
      this.#unlessThere(error, to, () => this.stat(from)),
    );
  }

  async remove(name: string): Promise<void> {
    await this.#attempt({ what: `remove ${name}`, permissions: 'storage.objects.delete' }, () =>
      this.#file(name).delete({ ignoreNotFound: true }),
    );
  }

  async read(name: string): Promise<Uint8Array> {
    return this.#attempt({ what: `read ${name}`, permissions: 'storage.objects.get' }, async () => {
      // @google-cloud/storage 7.22 names the bucket's payer in every request but this one.
      const [bytes] = await this.#file(name).download(this.#payer).catch(this.#missing(name));
      return bytes;
    });
  }

  async stat(name: string): Promise<ObjectStat | null> {
    return this.#attempt({ what: `look at ${name}`, permissions: 'storage.objects.get' }, async () => {
      try {
        const [metadata] = await this.#file(name).getMetadata();
        return toStat(name, metadata);
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
        yield { name: name.slice(this.#prefix.length), bytes: Number(metadata.size) };
      }
      pageToken = (next as { pageToken?: string } | null)?.pageToken;
    } while (pageToken);
  }

  /** Where what is there is kept, a write whose answer was lost is refused the second time, though all is as it should be. */
  async #unlessThere(error: unknown, name: string, wanted: () => Promise<Content | null>): Promise<ObjectStat> {
    if (!(error instanceof ObjectKept)) throw error;
    const [there, expected] = [await this.stat(name), await wanted()];
    if (there !== null && there.bytes === expected?.bytes && there.crc32c === expected.crc32c) return there;
    throw error;
  }

  #file(name: string) {
    return this.#bucket.file(checkObjectName(this.#prefix + checkObjectName(name)));
  }

  async #upload(
    name: string,
    data: Uint8Array,
    contentType: string,
    { mark, onlyIfAbsent }: { mark: string; onlyIfAbsent: boolean },
  ): Promise<ObjectStat> {
    const file = this.#file(name);
    const sum = crc32c(data);
    await file.save(data, {
      resumable: data.length >= RESUMABLE_FROM_BYTES,
      validation: false,
      metadata: { contentType, crc32c: sum, metadata: { [WRITE_MARK]: mark } },
      ...(onlyIfAbsent && { preconditionOpts: { ifGenerationMatch: ONLY_IF_ABSENT } }),
    });
    const stat = toStat(name, file.metadata);
    if (stat.crc32c === sum && stat.bytes === data.length) return stat;
    throw new StoreUnavailable(
      `store ${this.url}: sent ${name} with ${data.length} bytes and checksum ${sum}, but ${stat.bytes} and ${stat.crc32c} arrived`,
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

  /** A condition failed because of an object that is not there any more: the next try finds out. */
  #vanished(name: string): (error: unknown) => never {
    return (error) => {
      if (statusOf(error) !== 404) throw error;
      throw new StoreUnavailable(
        `store ${this.url}: ${name} was taken, yet there is no such object; see what is there`,
      );
    };
  }

  #missing(name: string): (error: unknown) => never {
    return (error) => {
      if (statusOf(error) !== 404) throw error;
      throw new ObjectNotFound(`store ${this.url}: there is no object ${JSON.stringify(name)}`);
    };
  }
}

function toStat(name: string, { size, crc32c: sum }: FileMetadata): ObjectStat {
  if (size === undefined || sum === undefined) {
    throw new StoreUnavailable(`object ${name}: expected size and crc32c in the answer of Cloud Storage, found none`);
  }
  return { name, bytes: Number(size), crc32c: sum };
}

function parseUrl(url: string): { bucket: string; prefix: string } {
  const [, bucket, prefix = ''] = /^gs:\/\/([a-z0-9][a-z0-9._-]{1,220}[a-z0-9])(?:\/(.*?)\/?)?$/.exec(url) ?? [];
  if (bucket === undefined) {
    throw new UserError(`store: expected gs://bucket or gs://bucket/prefix, found ${JSON.stringify(url)}`);
  }
  return { bucket, prefix: prefix === '' ? '' : `${checkObjectName(prefix)}/` };
}

/** Where requesters pay, each request names the project that does. It is the process that is charged, not the batch. */
const payer = () => {
  const userProject = process.env.PIXART_USER_PROJECT;
  return userProject ? { userProject } : {};
};

/** Every write here has the same effect when it is done twice, so that all of them may be retried. */
function makeClient(): Storage {
  const emulator = process.env.STORAGE_EMULATOR_HOST?.replace(/^(?!https?:\/\/)/, 'http://').replace(/\/$/, '');
  const client = new Storage({
    ...(emulator && { apiEndpoint: emulator }),
    crc32cGenerator: () => new Crc32c(),
    retryOptions: { idempotencyStrategy: IdempotencyStrategy.RetryAlways, totalTimeout: 120 },
  });
  // The library takes the variable as the base of every path and so loses /storage/v1, on which emulators answer.
  if (emulator) client.baseUrl = `${emulator}/storage/v1`;
  return client;
}
