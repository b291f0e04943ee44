import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { UserError } from '../../domain/user-error.ts';
import { GcsStore } from '../../store/gcs-store.ts';
import { StoreUnavailable } from '../../store/object-store.ts';
import { openStore } from '../../store/open-store.ts';
import { SLOW_MS } from './contract/helpers.ts';
import { describeObjectStore } from './contract/object-store.ts';
import { type DecideFate, type Fate, type FaultyNetwork, startFaultyNetwork } from './faulty-network.ts';
import { useBucket } from './use-bucket.ts';

const { endpoint, freshUrl } = useBucket();

describeObjectStore('a bucket', () => openStore(freshUrl()));

test('lists more objects than Cloud Storage puts on one page', { timeout: SLOW_MS }, async () => {
  const store = await openStore(freshUrl());
  const names = Array.from({ length: 1005 }, (_, index) => `objects/${String(index).padStart(5, '0')}`);
  for (let at = 0; at < names.length; at += 67) {
    await Promise.all(names.slice(at, at + 67).map((name) => store.create(name, Buffer.from('x'), 'text/plain')));
  }
  const listed: string[] = [];
  for await (const { name } of store.list('objects/')) listed.push(name);
  expect(listed).toEqual(names);
});

test('keeps two stores in one bucket apart by their prefix', async () => {
  const [outer, inner] = [await openStore('gs://pixart-test/team'), await openStore('gs://pixart-test/team/a/')];
  await inner.create('objects/x', Buffer.from('inner'), 'text/plain');
  expect(await outer.stat('objects/x')).toBeNull();
  expect(await outer.stat('a/objects/x')).toMatchObject({ bytes: 5 });
});

test('names the bucket that does not exist, on opening and on writing', async () => {
  await expect(openStore('gs://no-such-bucket/x')).rejects.toThrow(UserError);
  await expect(openStore('gs://no-such-bucket/x')).rejects.toThrow(/bucket "no-such-bucket" does not exist/);
  const unopened = new GcsStore('gs://no-such-bucket');
  for (const bytes of [1, 9_000_000]) {
    await expect(unopened.create('a', new Uint8Array(bytes), 'image/png')).rejects.toThrow(/"no-such-bucket" does not/);
  }
});

test.each(['gs://', 'gs://UPPER/x', 'gs://ab', 'gs://bucket//x', 'gs://bucket/../x'])('refuses the URL %s', (url) =>
  expect(openStore(url)).rejects.toThrow(UserError),
);

test('names the service account of its credentials, and none if they do not name one', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-account-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  vi.stubEnv('STORAGE_EMULATOR_HOST', undefined);
  onTestFinished(() => void vi.stubEnv('STORAGE_EMULATOR_HOST', endpoint()));
  const account = async (credentials: object) => {
    const file = path.join(folder, 'credentials.json');
    await writeFile(file, JSON.stringify(credentials));
    vi.stubEnv('GOOGLE_APPLICATION_CREDENTIALS', file);
    // Otherwise the library looks for a machine of Google's that knows it.
    vi.stubEnv('GOOGLE_CLOUD_PROJECT', 'studio');
    return new GcsStore('gs://somewhere').account();
  };
  const client_email = 'robot@studio.iam.gserviceaccount.com';
  expect(await account({ type: 'service_account', client_email, private_key: 'unused' })).toBe(client_email);
  expect(await account({ type: 'authorized_user', client_id: 'a', client_secret: 'b', refresh_token: 'c' })).toBeNull();
});

describe('a bucket behind a faulty network', () => {
  let network: FaultyNetwork | undefined;
  afterEach(async () => {
    vi.stubEnv('STORAGE_EMULATOR_HOST', endpoint());
    await network?.stop();
  });

  async function storeBehind(fate: DecideFate): Promise<GcsStore> {
    network = await startFaultyNetwork(endpoint(), fate);
    vi.stubEnv('STORAGE_EMULATOR_HOST', network.endpoint);
    return new GcsStore(freshUrl());
  }
  const isUpload = (label: string) => label.startsWith('POST /upload/');
  const refusal = (status: number, message: string): Fate => ({ status, body: { error: { code: status, message } } });

  test('counts an object as created by this call when only the answer was lost and the retry finds it there', async () => {
    const store = await storeBehind((label, nth) => (isUpload(label) && nth === 1 ? 'answer is lost' : 'passes'));
    const result = await store.create('objects/a.png', Buffer.from('picture'), 'image/png');
    expect(network!.seen.filter(isUpload)).toHaveLength(2);
    expect(result).toMatchObject({ created: true, stat: { bytes: 7 } });
  });

  test.each([429, 503])('tries again after %i', async (status) => {
    const store = await storeBehind((_, nth) => (nth === 1 ? refusal(status, 'later') : 'passes'));
    const stat = await store.replace('batches/b/manifest.json', Buffer.from('{}'), 'application/json');
    expect(stat).toMatchObject({ bytes: 2 });
  });

  test('still retries after each kind of call has succeeded', { timeout: SLOW_MS }, async () => {
    let refusals = 0;
    const store = await storeBehind(() => {
      if (refusals === 0) return 'passes';
      refusals -= 1;
      return refusal(503, 'later');
    });
    const content = { data: Buffer.from('another'), contentType: 'text/plain' };
    await store.create('a', Buffer.from('picture'), 'text/plain', { made: 'once' });
    await (await store.find('a'))!.describe({ made: 'twice' });
    await (await store.find('a'))!.copy('copy');
    expect(await (await store.find('a'))!.supersede('aside', content)).not.toBeNull();
    await store.remove('copy');
    await store.replace('a', Buffer.from('picture'), 'text/plain');
    refusals = 1;
    expect(await store.stat('a')).toMatchObject({ bytes: 7 });
    refusals = 1;
    expect((await store.create('b', Buffer.from('picture'), 'text/plain')).created).toBe(true);
  });

  test.each(['stat', 'read'] as const)('a %s continues when the clock jumps while it waits', async (call) => {
    let lose = (): void => {};
    const lost = new Promise<void>((resolve) => {
      lose = resolve;
    });
    const store = await storeBehind((label, nth) =>
      label.startsWith('GET ') && nth === 1 ? { hangsUntil: lost } : 'passes',
    );
    await store.create('a', Buffer.from('picture'), 'text/plain');
    vi.useFakeTimers({ toFake: ['Date'] });
    onTestFinished(() => void vi.useRealTimers());
    const asked = store[call]('a');
    await vi.waitUntil(() => network!.seen.some((label) => label.startsWith('GET ')));
    vi.setSystemTime(Date.now() + 3_600_000);
    lose();
    expect(await asked).not.toBeNull();
  });

  test('gives up after a few tries with a retryable error', { timeout: SLOW_MS }, async () => {
    const store = await storeBehind(() => refusal(503, 'backend error'));
    const attempt = store.stat('objects/a.png');
    await expect(attempt).rejects.toThrow(StoreUnavailable);
    await expect(attempt).rejects.toThrow(/status 503, backend error/);
  });

  test('names the missing permission when access is denied', async () => {
    const needed = (label: string) => `storage.objects.${isUpload(label) ? 'create' : 'list'}`;
    const store = await storeBehind((label) => refusal(403, `x@y.iam does not have ${needed(label)} access`));
    const attempt = store.create('objects/a.png', Buffer.from('x'), 'image/png');
    await expect(attempt).rejects.toThrow(UserError);
    await expect(attempt).rejects.toThrow(/needs storage.objects.create on bucket "pixart-test"/);
    await expect(store.check()).rejects.toThrow(/needs storage.objects.list on bucket "pixart-test"/);
  });

  test('lets no damaged upload become an object', async () => {
    const store = await storeBehind((label) => (isUpload(label) ? 'is damaged' : 'passes'));
    const attempt = store.create('objects/a.png', Buffer.from('picture'), 'image/png');
    await expect(attempt).rejects.toThrow(StoreUnavailable);
    expect(await store.stat('objects/a.png')).toBeNull();
  });

  test.each(['answer is cut off', 'answer is reset'] as const)(
    'repeats a download when its %s in the middle',
    { timeout: SLOW_MS },
    async (broken) => {
      const bytes = Buffer.alloc(200_000, 'picture');
      const isDownload = (label: string, url: URL) =>
        label.startsWith('GET ') && url.searchParams.get('alt') === 'media';
      const store = await storeBehind((label, nth, url) => (isDownload(label, url) && nth === 1 ? broken : 'passes'));
      await store.create('objects/a.png', bytes, 'image/png');
      expect(Buffer.from(await store.read('objects/a.png')).equals(bytes)).toBe(true);
    },
  );

  test.each([
    ['call whose answer breaks in the middle', 'stat', 'answer is cut off'],
    ['download that is not answered', 'read', { hangsUntil: new Promise(() => {}) }],
  ] as const)('repeats a %s', async (_, call, fate) => {
    const store = await storeBehind((label, nth) => (label.startsWith('GET ') && nth === 1 ? fate : 'passes'));
    await store.create('objects/a.png', Buffer.from('picture'), 'image/png');
    // Minutes of waiting pass in a second.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const requests = () => network!.seen.filter((label) => label.startsWith('GET ')).length;
    const asked = store[call]('objects/a.png');
    for (let passed = 0; requests() < 2 && passed < 300; passed += 5) {
      await sleep(50);
      vi.advanceTimersByTime(5_000);
    }
    expect(await asked).not.toBeNull();
    expect(requests()).toBe(2);
  });

  test('refuses a damaged download', async () => {
    const store = await storeBehind((label) => (label.startsWith('GET ') ? 'is damaged' : 'passes'));
    await store.create('objects/a.png', Buffer.from('picture'), 'image/png');
    await expect(store.read('objects/a.png')).rejects.toThrow(StoreUnavailable);
  });
});
