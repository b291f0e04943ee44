import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { type BucketEmulator, startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { audited } from '../../records/audit.ts';
import { type AuditEntry, auditTrail } from '../../records/audit-trail.ts';
import { GcsStore } from '../../store/gcs-store.ts';
import { ObjectKept, type ObjectStore, StoreDenied, writeOrBeside } from '../../store/index.ts';
import { copyObject } from './copy-object.ts';
import { type DecideFate, type FaultyNetwork, startFaultyNetwork } from './faulty-network.ts';
import { gcsRefusal, retentionPolicy } from './retention-policy.ts';

const DAY_MS = 86_400_000;
const LARGE = 9_000_000;

let emulator: BucketEmulator;
let network: FaultyNetwork | undefined;
let stores = 0;

beforeAll(async () => {
  emulator = await startBucketEmulator();
  await emulator.createBucket('kept');
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await network?.stop();
});
afterAll(() => emulator.stop());

async function storeBehind(fate: DecideFate): Promise<ObjectStore> {
  network = await startFaultyNetwork(emulator.endpoint, fate);
  vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
  return new GcsStore(`gs://kept/store-${stores++}`);
}

const text = (value: string): Uint8Array => Buffer.from(value);
const put = (store: ObjectStore, name: string, value: string) => store.replace(name, text(value), 'text/plain');
const read = async (store: ObjectStore, name: string) => Buffer.from(await store.read(name)).toString();

describe('a bucket with a retention policy', () => {
  test('refuses to replace, overwrite by copy or remove an object, small or large, and says until when', async () => {
    const store = await storeBehind(retentionPolicy(DAY_MS));
    await put(store, 'a', 'first');
    await store.create('b', text('other'), 'text/plain');
    await store.replace('large', new Uint8Array(LARGE), 'text/plain');
    const tomorrow = new Date(Date.now() + DAY_MS).toISOString().slice(0, 10);
    for (const write of [
      () => put(store, 'a', 'second'),
      () => copyObject(store, 'b', 'a'),
      async () => (await store.find('a'))!.supersede('aside', { data: text('second'), contentType: 'text/plain' }),
      () => store.remove('a'),
      () => store.replace('large', new Uint8Array(LARGE).fill(1), 'text/plain'),
    ]) {
      const error = await failureOf(write);
      expect(error).toBeInstanceOf(ObjectKept);
      expect((error as ObjectKept).message).toContain(`a retention policy keeps what is there until ${tomorrow}`);
      expect((error as ObjectKept).message).not.toMatch(/role|access denied/);
    }
    expect(await read(store, 'a')).toBe('first');
  });

  test('accepts audit lines, which are created and never replaced', async () => {
    const store = await storeBehind(retentionPolicy(DAY_MS));
    const act = async () => 'done';
    for (const batch of ['a', 'b']) expect(await audited(store, { action: 'pause', batch }, act)).toBe('done');
    const found: AuditEntry[] = [];
    for await (const entry of auditTrail(store, {}, expect.unreachable)) found.push(entry);
    expect(found).toMatchObject([
      { batch: 'a', ended: { outcome: 'done' } },
      { batch: 'b', ended: { outcome: 'done' } },
    ]);
    expect(Math.abs(Date.parse(found[0]!.storedAt) - Date.now())).toBeLessThan(DAY_MS);
  });

  test('accepts the same bytes again, which a write sends whose answer was lost', async () => {
    const policy = retentionPolicy(DAY_MS);
    const lost = /^POST .*(\/upload\/|rewriteTo)/;
    const store = await storeBehind((label, nth, url) => {
      const fate = policy(label, nth, url);
      return fate === 'passes' && lost.test(label) && nth === 1 ? 'answer is lost' : fate;
    });
    expect(await put(store, 'a', 'same')).toMatchObject({ name: 'a', bytes: 4 });
    expect(await put(store, 'a', 'same')).toMatchObject({ name: 'a', bytes: 4 });
    await copyObject(store, 'a', 'copy');
    await copyObject(store, 'a', 'copy');
    expect(await read(store, 'copy')).toBe('same');
  });

  test('creates once, as any bucket does', async () => {
    const store = await storeBehind(retentionPolicy(DAY_MS));
    expect((await store.create('a', text('first'), 'text/plain')).created).toBe(true);
    expect((await store.create('a', text('second'), 'text/plain')).created).toBe(false);
    expect((await store.create('large', new Uint8Array(LARGE), 'text/plain')).created).toBe(true);
    expect((await store.create('large', new Uint8Array(LARGE), 'text/plain')).created).toBe(false);
  });

  test('gets a new object beside one that cannot be replaced, each content once', async () => {
    const store = await storeBehind(retentionPolicy(DAY_MS));
    const write = (value: string) => writeOrBeside(store, 'batches/b.1/sheet.html', text(value), 'text/html');
    const names: string[] = [];
    for (const value of ['one', 'two', 'two', 'three', 'one']) names.push(await write(value));
    expect(names).toEqual([1, 2, 2, 3, 1].map((n) => `batches/b.1/sheet${n === 1 ? '' : `-${n}`}.html`));
    expect(await read(store, 'batches/b.1/sheet-3.html')).toBe('three');
  });

  test('lets objects that are old enough be replaced and removed', async () => {
    const store = await storeBehind(retentionPolicy(1));
    await put(store, 'a', 'first');
    await vi.waitFor(() => put(store, 'a', 'second'));
    expect(await read(store, 'a')).toBe('second');
  });
});

/** The error with which a write fails. */
const failureOf = (write: () => Promise<unknown>): Promise<unknown> =>
  write().then(
    () => null,
    (error: unknown) => error,
  );

const first = (store: ObjectStore) => store.list('')[Symbol.asyncIterator]().next();

const refusing = (status: number, reason: string, message: string): DecideFate => {
  const body = gcsRefusal(status, reason, message);
  return (label) => (label.startsWith('GET') ? 'passes' : { status, body });
};

describe('other refusals quote Cloud Storage and say what to do', () => {
  test.each([
    [
      'forbidden',
      "Object 'kept/a' is under active Temporary hold and cannot be deleted, overwritten or archived until hold is removed.",
      'a temporary hold keeps what is there until somebody releases it',
    ],
    [
      'forbidden',
      "Object 'kept/a' is under active Event-Based hold and cannot be deleted, overwritten or archived until hold is removed.",
      'an event-based hold keeps',
    ],
    [
      'objectUnderActiveHold',
      'Object replacement or deletion is not allowed due to an active hold on the object.',
      'a hold keeps',
    ],
    [
      'forbidden',
      'robot@x.iam.gserviceaccount.com does not have storage.objects.delete access to the Google Cloud Storage object.',
      'may create objects but not replace or remove them',
    ],
  ])('what is kept: %s, %s', async (reason, message, said) => {
    const store = await storeBehind(refusing(403, reason, message));
    for (const write of [() => put(store, 'a', 'x'), () => store.remove('a')]) {
      const error = await failureOf(write);
      expect(error).toBeInstanceOf(ObjectKept);
      expect((error as ObjectKept).message).toContain(said);
    }
  });

  test.each([
    [
      400,
      'required',
      'Bucket is a requester pays bucket but no user project provided.',
      '--user-project or PIXART_USER_PROJECT',
    ],
    [
      400,
      'userProjectMissing',
      'Bucket is a requester pays bucket but no user project provided.',
      'is a requester-pays bucket',
    ],
    [400, 'userProjectInvalid', 'User project specified in the request is invalid.', 'the id of a project that exists'],
    [
      403,
      'forbidden',
      'x@y does not have serviceusage.services.use access to the Google Cloud project.',
      'Service Usage Consumer',
    ],
    [
      403,
      'accountDisabled',
      'The billing account for the owning project is disabled in state absent',
      'billing is disabled',
    ],
    [
      403,
      'vpcServiceControls',
      "Request is prohibited by organization's policy. vpcServiceControlsUniqueIdentifier: abc",
      "policy of the bucket's organization",
    ],
    [
      412,
      'orgPolicyConstraintFailed',
      "'us' violates constraint 'constraints/gcp.resourceLocations'",
      "policy of the bucket's organization",
    ],
    [
      403,
      'forbidden',
      'Permission denied on Cloud KMS key. Please ensure that your Cloud Storage service account has been authorized to use this key.',
      'encryption key cannot be used',
    ],
    [
      400,
      'invalid',
      'Cannot insert legacy ACL for an object when uniform bucket-level access is enabled.',
      'has uniform bucket-level access',
    ],
  ])('%i %s %s', async (status, reason, message, advice) => {
    const store = await storeBehind(refusing(status, reason, message));
    for (const data of [text('x'), new Uint8Array(LARGE)]) {
      for (const write of ['create', 'replace'] as const) {
        const error = await failureOf(() => store[write]('a', data, 'text/plain'));
        expect(error).toBeInstanceOf(StoreDenied);
        expect((error as Error).message).toContain(advice);
        expect((error as Error).message).toContain(message);
        expect((error as Error).message).not.toContain('Storage Object User');
      }
    }
  });

  test('of a download', async () => {
    const message = 'Bucket is a requester pays bucket but no user project provided.';
    const store = await storeBehind(() => ({ status: 400, body: gcsRefusal(400, 'required', message) }));
    for (const ask of [() => store.read('a'), () => store.stat('a'), () => first(store)]) {
      await expect(ask()).rejects.toThrow(/is a requester-pays bucket: name the project to bill with --user-project/);
    }
  });

  test('a precondition that failed on an object that is gone since is retried, not taken for a missing bucket', async () => {
    const store = await storeBehind(
      refusing(412, 'conditionNotMet', 'At least one of the pre-conditions you specified did not hold.'),
    );
    await expect(store.create('a', text('x'), 'text/plain')).rejects.toThrow(
      'a existed when it was to be created, and is gone now',
    );
  });
});

test('on a requester-pays bucket, every request names the project to bill', async () => {
  vi.stubEnv('PIXART_USER_PROJECT', 'payer-1');
  const store = await storeBehind(() => 'passes');
  await (store as GcsStore).check();
  await store.create('a', text('x'), 'text/plain');
  await store.create('a', text('y'), 'text/plain');
  await store.create('large', new Uint8Array(LARGE), 'text/plain');
  await store.replace('a', text('z'), 'text/plain');
  await copyObject(store, 'a', 'b');
  await store.read('b');
  await store.stat('b');
  const found = (await store.find('b'))!;
  await found.read();
  await found.describe({ key: 'value' });
  await found.supersede('aside', { data: text('new'), contentType: 'text/plain' });
  await first(store);
  await store.remove('b');
  const kinds = new Set(network!.seen.map((label) => label.split(' ')[0]));
  expect([...kinds].sort()).toEqual(['DELETE', 'GET', 'PATCH', 'POST', 'PUT']);
  // Requests to an upload session's address are billed as the request that opened it.
  const unpaid = network!.urls.filter((url) => !url.searchParams.has('upload_id'));
  expect(new Set(unpaid.map((url) => url.searchParams.get('userProject')))).toEqual(new Set(['payer-1']));
});
