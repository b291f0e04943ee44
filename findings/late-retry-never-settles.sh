#!/usr/bin/env bash
# If a connection of a @google-cloud/storage call breaks after the call's total timeout (600 s by default), the call
# neither succeeds nor fails: its promise never settles, and it sends nothing more. A connection that was dead for a
# long time causes this, or a clock that jumps. Expected: an error, as when the last retry has failed. retry-request
# 7.0.2 returns silently when no time is left (retryAfterDelay). With an infinite total timeout, the number of retries
# is the limit. Seen with @google-cloud/storage 7.22.0. Exits with 1 if this has changed. Needs Node with npm. The
# server, which stands in for the bucket, listens on loopback.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" @google-cloud/storage@7.22.0 || exit 2

cat >"$folder/ask.mjs" <<'END'
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { Storage } from '@google-cloud/storage';

setTimeout(() => process.exit(2), 120_000).unref();
const object = { name: 'a', bucket: 'pictures', generation: '1', size: '5', crc32c: 'mnG7TA==' };
const BROKEN_AFTER_MS = 2_000;
let requests = 0;

// The first request's connection breaks after two seconds; all others are answered at once.
const server = createServer(async (_, response) => {
  requests += 1;
  if (requests === 1) {
    await sleep(BROKEN_AFTER_MS);
    response.destroy();
  } else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(object));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const apiEndpoint = `http://127.0.0.1:${server.address().port}`;

/** The outcome of a call whose first connection breaks after two seconds. */
async function look(totalTimeout, expected) {
  requests = 0;
  const bucket = new Storage({ apiEndpoint, projectId: 'any', retryOptions: { totalTimeout } }).bucket('pictures');
  const asked = bucket.file('a').getMetadata().then(() => 'answered', (error) => `failed: ${error.message}`);
  const found = await Promise.race([asked, sleep(20_000, 'not settled after 20 s')]);
  console.log(`total time ${totalTimeout} s: ${found}, ${requests} requests`);
  if (found === expected) return;
  console.log(`changed: expected ${expected}`);
  process.exit(1);
}
await look(600, 'answered');
await look(1, 'not settled after 20 s');
await look(Number.POSITIVE_INFINITY, 'answered');
server.close();
server.closeAllConnections();
console.log('as described');
process.exit(0);
END
env -u STORAGE_EMULATOR_HOST node "$folder/ask.mjs"
