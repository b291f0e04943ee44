#!/usr/bin/env bash
# One successful save() without a precondition switches off retries for all calls of the same Storage client, for the
# rest of its life: a single 503 then fails them. Expected: only that call is not retried, as the documentation of
# IdempotencyStrategy.RetryConditional says, the strategy that a client starts with. With RetryAlways all calls continue
# to be retried. Seen with @google-cloud/storage 7.22.0. Exits with 1 if this has changed. Needs Node with npm. The
# server, which stands in for the bucket, listens on loopback.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" @google-cloud/storage@7.22.0 || exit 2

cat >"$folder/ask.mjs" <<'END'
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { IdempotencyStrategy, Storage } from '@google-cloud/storage';

setTimeout(() => process.exit(2), 60_000).unref();
const object = { name: 'a', bucket: 'pictures', generation: '1', size: '5', crc32c: 'mnG7TA==' };
let refusals = 0;

const server = createServer(async (request, response) => {
  await text(request);
  const [status, body] = refusals > 0 ? [503, { error: { code: 503, message: 'later' } }] : [200, object];
  if (refusals > 0) refusals -= 1;
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const apiEndpoint = `http://127.0.0.1:${server.address().port}`;
const clientOf = (idempotencyStrategy) =>
  new Storage({ apiEndpoint, projectId: 'any', retryOptions: { idempotencyStrategy } }).bucket('pictures');

/** The outcome of a metadata read, which is always safe to retry, if the bucket refuses it once. */
async function afterOneRefusal(bucket) {
  refusals = 1;
  const found = await bucket.file('a').getMetadata().then(() => 'repeated', (error) => `not repeated: ${error.message}`);
  refusals = 0;
  return found;
}
async function look(what, bucket, expected) {
  const found = await afterOneRefusal(bucket);
  console.log(`${what}: ${found}`);
  if (found.startsWith(expected)) return;
  console.log(`changed: ${what}, expected ${expected}`);
  process.exit(1);
}
const options = { resumable: false, validation: false };
const save = (bucket, more) => bucket.file('a').save('hello', { ...options, ...more });

const usual = clientOf(IdempotencyStrategy.RetryConditional);
await look('a new client', usual, 'repeated');
await save(usual, { preconditionOpts: { ifGenerationMatch: 0 } });
await look('after a save with a precondition', usual, 'repeated');
await save(usual);
await look('after a save without one', usual, 'not repeated: later');
await save(usual, { preconditionOpts: { ifGenerationMatch: 0 } });
await look('after another save with a precondition', usual, 'not repeated: later');
const always = clientOf(IdempotencyStrategy.RetryAlways);
await save(always);
await look('with RetryAlways, after a save without a precondition', always, 'repeated');
server.close();
server.closeAllConnections();
console.log('as described');
END
env -u STORAGE_EMULATOR_HOST node "$folder/ask.mjs"
