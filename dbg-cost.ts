import { defaultPayloadConverter } from '@temporalio/common';
import { batchEnd } from './client/index.ts';
import { EncryptionCodec } from './encryption/payload-codec.ts';
import { keyring } from './tests/encryption/keys.ts';
import { BUNDLE, startSite } from './tests/workflows/site.ts';

const JOBS = 300;
const sites = {
  plain: await startSite({ side: 16, keyring: null }),
  encrypted: await startSite({ side: 16, keyring: keyring() }),
};
for (let round = 0; round < 4; round++)
  for (const [name, site] of Object.entries(sites)) {
    const rows = Array.from(
      { length: JOBS },
      (_, i) => `a ${name} fox number ${i} of ${round} in the snow under a pale moon with long shadows,256`,
    );
    const c0 = process.cpuUsage();
    await site.submit(`b${round}`, rows, 16);
    await batchEnd(site.client, `b${round}`);
    const c = process.cpuUsage(c0);
    console.log(round, name, ((c.user + c.system) / 1e3 / JOBS).toFixed(3), 'ms of processor per image');
  }
const codec = new EncryptionCodec(keyring());
const payload = defaultPayloadConverter.toPayload({
  store: 'file:///x/out',
  batch: 'b0',
  round: 1,
  shard: 'batches/b0/plan/0001.jsonl',
  index: 17,
  bundleDigest: 'ab'.repeat(32),
});
let c0 = process.cpuUsage();
const N = 20000;
let enc: any;
for (let i = 0; i < N; i++) enc = await codec.encode([payload]);
let c = process.cpuUsage(c0);
console.log('encode', ((c.user + c.system) / N).toFixed(2), 'us');
c0 = process.cpuUsage();
for (let i = 0; i < N; i++) await codec.decode(enc);
c = process.cpuUsage(c0);
console.log('decode', ((c.user + c.system) / N).toFixed(2), 'us', 'bytes', payload.data!.length, enc[0].data.length);
for (const s of Object.values(sites)) {
  const h = await s.client.temporal.workflow.getHandle('batch/b0/1-0').fetchHistory();
  const { default: proto } = await import('@temporalio/proto');
  console.log('history bytes', proto.temporal.api.history.v1.History.encode(h).finish().length);
}
process.exit(0);
