import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { createReadShard } from '../../activities/read-shard.ts';
import { shardName } from '../../records/layout.ts';
import { encodeJobs } from '../../records/plan-and-receipts.ts';
import { openStore } from '../../store/index.ts';
import { sampleJob } from '../images/sample-job.ts';

const id = `${'x'.repeat(99)}/${'y'.repeat(100)}`;

test.each([
  ['𠮷'.repeat(100), /: 𠮷{19}…$/u],
  ['`'.repeat(100), /: `+ `{10,}… `+$/],
  [`${'"'.repeat(80)} <b>`, /: "{20,}…$/],
  ['a fox', /: a fox$/],
])(
  'a summary has room in what Temporal takes, whatever the id and the prompt are made of: %s',
  async (prompt, shown) => {
    const folder = await mkdtemp(path.join(tmpdir(), 'pixart-shard-'));
    onTestFinished(() => rm(folder, { recursive: true }));
    const store = await openStore(pathToFileURL(folder).href);
    const shard = shardName('night', 1, 0);
    await store.replace(shard, await encodeJobs([{ ...sampleJob, id, prompt }]), 'text/plain');
    const [job] = await createReadShard(openStore)({ store: store.url, shard });
    expect(job!.summary).toMatch(shown);
    expect(Buffer.byteLength(JSON.stringify(job!.summary))).toBeLessThanOrEqual(300);
  },
);
