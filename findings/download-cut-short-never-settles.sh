#!/usr/bin/env bash
# If the connection breaks in the middle of a download, @google-cloud/storage's download() neither succeeds nor fails:
# no error, no retry, no timeout, whatever the retry options are. Expected: an error or a retry, as if the response had no
# Content-Length, or an error at once, as from Node's own fetch. The library uses node-fetch 2.7.0, which does the same.
# Metadata and listings wait just as long, unless the client has the option `timeout`, which downloads ignore: there,
# reading from createReadStream() with a time limit for each byte helps. Seen with @google-cloud/storage 7.22.0 and Node
# 20.20.2, once for 150 s. Exits with 1 if this has changed. Needs Node with npm. The server, which stands in for the
# bucket, listens on loopback. Takes a minute.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" @google-cloud/storage@7.22.0 || exit 2

cat >"$folder/ask.mjs" <<'END'
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { IdempotencyStrategy, Storage } from '@google-cloud/storage';

setTimeout(() => process.exit(2), 120_000).unref();
const content = Buffer.alloc(100_000, 'picture');
let isCut = true;
let hasLength = true;
let requests = 0;

// Sends the whole object, or half of it and then breaks the connection.
const server = createServer(async (_, response) => {
  requests += 1;
  response.writeHead(200, { 'content-type': 'image/png', ...(hasLength && { 'content-length': content.length }) });
  if (!isCut) return response.end(content);
  response.write(content.subarray(0, content.length / 2));
  await sleep(100);
  response.destroy();
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const apiEndpoint = `http://127.0.0.1:${server.address().port}`;
const retryOptions = { idempotencyStrategy: IdempotencyStrategy.RetryAlways, maxRetries: 1, totalTimeout: Infinity };
const file = new Storage({ apiEndpoint, projectId: 'any', retryOptions }).bucket('pictures').file('a');
const nodeFetch = createRequire(createRequire(import.meta.url).resolve('@google-cloud/storage'))('node-fetch');

/** The outcome of a download. */
async function look(what, download, expected) {
  requests = 0;
  const asked = download().then(({ length, byteLength }) => `${length ?? byteLength} bytes`, (error) => `failed: ${error.message}`);
  const found = await Promise.race([asked, sleep(12_000, 'not settled after 12 s')]);
  console.log(`${what}: ${found}, requests: ${requests}`);
  if (expected.test(found)) return;
  console.log(`changed: expected ${expected}`);
  process.exit(1);
}
const download = () => file.download({ validation: false }).then(([bytes]) => bytes);
isCut = false;
await look('the whole object', download, /^100000 bytes/);
isCut = true;
await look('half of it, by Node itself', () => fetch(apiEndpoint).then((answer) => answer.arrayBuffer()), /^failed/);
hasLength = false;
await look('half of it, without a length', download, /^failed/);
hasLength = true;
await look('half of it', download, /^not settled/);
const metadata = (client) => () => client.bucket('pictures').file('a').getMetadata().then(() => '');
await look('half of its metadata', metadata(file.storage), /^not settled/);
const timed = new Storage({ apiEndpoint, projectId: 'any', retryOptions, timeout: 1_000 });
await look('half of its metadata, with a time limit', metadata(timed), /^failed/);
await look('half of it, by node-fetch', () => nodeFetch(apiEndpoint).then((answer) => answer.buffer()), /^not settled/);
server.close();
server.closeAllConnections();
console.log('as described');
process.exit(0);
END
env -u STORAGE_EMULATOR_HOST node "$folder/ask.mjs"
