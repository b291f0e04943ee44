import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createOrchestratorActivities } from '../../activities/index.ts';
import type { Job } from '../../domain/job.ts';
import { shardName } from '../../records/layout.ts';
import { encodeJobs } from '../../records/plan-and-receipts.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import { anywhere } from '../anywhere.ts';
import { sampleJob } from '../images/sample-job.ts';
import '../quiet-runtime.ts';

const { readShard } = createOrchestratorActivities(anywhere);

let folder: string;
let store: ObjectStore;

/** Rows with keys of their own: no batch is planned like that any more, but an earlier version may have. */
const wide = Array.from({ length: 500 }, (_, row): Job => {
  const keys = Array.from({ length: 190 }, (_, key) => [`k${row}_${key}`, 'x']);
  return { ...sampleJob, id: `row-${row}`, metadata: Object.fromEntries(keys) };
});

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-beside-'));
  store = await openStore(pathToFileURL(folder).href);
  await store.create(shardName('wide', 1, 0), await encodeJobs(wide), 'application/x-ndjson');
  await store.create(shardName('small', 1, 0), await encodeJobs([sampleJob]), 'application/x-ndjson');
});

afterAll(() => rm(folder, { recursive: true }));

/** The real store, which tells what has been read from it and what is to be created. */
function telling(onCall: (call: 'read' | 'create', name: string) => void): ObjectStore {
  const own: Partial<ObjectStore> = {
    async read(name) {
      const bytes = await store.read(name);
      onCall('read', name);
      return bytes;
    },
    create(name, ...more) {
      onCall('create', name);
      return store.create(name, ...more);
    },
  };
  return new Proxy(store, {
    get(target, key) {
      const value = key in own ? own[key as keyof ObjectStore] : Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

test('while a wide batch’s tables are made, timers such as the heartbeat’s fire, and another batch’s activities begin and end', async () => {
  const seen = { timers: 0, activities: 0 };
  let isMaking = false;
  let hasEnded = false;
  const { writeManifest } = createOrchestratorActivities({
    ...anywhere,
    openStore: async () =>
      telling((call, name) => {
        if (call === 'read' && name === shardName('wide', 1, 0)) isMaking = true;
        if (call === 'create') isMaking = false;
      }),
  });
  const timer = setInterval(() => {
    if (isMaking) seen.timers += 1;
  }, 1);
  const beside = (async () => {
    while (!hasEnded) {
      const began = isMaking;
      await new MockActivityEnvironment().run(readShard, { store: store.url, shard: shardName('small', 1, 0) });
      if (began && isMaking) seen.activities += 1;
    }
  })();
  await new MockActivityEnvironment().run(writeManifest, {
    ...{ store: store.url, batch: 'wide', round: 1, state: 'completed' as const, lostShards: [] },
    ...{ bundle: { name: 'tiny', digest: 'cd'.repeat(32) }, startedAt: new Date(0).toISOString() },
  });
  hasEnded = true;
  await beside;
  clearInterval(timer);
  expect(seen.timers).toBeGreaterThan(5);
  expect(seen.activities).toBeGreaterThan(1);
});
