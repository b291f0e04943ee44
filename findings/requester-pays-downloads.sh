#!/usr/bin/env bash
# The Cloud Storage client library names the project that pays in uploads, metadata requests and listings, but not in
# downloads, so a requester-pays bucket refuses those. Expected: the project in every request, as the documentation of
# bucket.setUserProject() says: for the bucket and all its files. download({ userProject }) does name it. Seen with
# @google-cloud/storage 7.22.0. Exits with 1 if this has changed. Needs Node with npm. The server, which stands in for
# the bucket, listens on loopback.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" @google-cloud/storage@7.22.0 || exit 2

cat >"$folder/ask.mjs" <<'END'
import { createServer } from 'node:http';
import { text } from 'node:stream/consumers';
import { Storage } from '@google-cloud/storage';

setTimeout(() => process.exit(2), 60_000).unref();
const CONTENT = 'hello';
const object = { name: 'a', bucket: 'pictures', generation: '1', size: `${CONTENT.length}`, crc32c: 'mnG7TA==' };
const refusal = { error: { code: 400, message: 'Bucket is a requester pays bucket but no user project provided.' } };

const server = createServer(async (request, response) => {
  await text(request);
  const { pathname, searchParams } = new URL(request.url, 'http://bucket');
  const json = (status, body) => response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  if (!searchParams.has('userProject')) return json(400, refusal);
  if (searchParams.get('alt') === 'media') return response.setHeader('x-goog-hash', `crc32c=${object.crc32c}`).end(CONTENT);
  json(200, request.method === 'GET' && pathname.endsWith('/o') ? { items: [object] } : object);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));

const storage = new Storage({ apiEndpoint: `http://127.0.0.1:${server.address().port}`, projectId: 'any' });
const payer = { userProject: 'payer' };
const told = storage.bucket('pictures', payer);
const toldLater = storage.bucket('pictures');
toldLater.setUserProject('payer');

const changed = (what) => {
  console.log(`changed: ${what}`);
  process.exit(1);
};
async function passes(what, request) {
  await request().catch((error) => changed(`${what} is refused: ${error.message}`));
  console.log(`${what}: the project is named`);
}
async function isRefused(what, request) {
  const said = await request().then(() => changed(`${what} names the project`), (error) => error.message);
  if (!said.includes('no user project provided')) changed(`${what} fails in another way: ${said}`);
  console.log(`${what}: ${said}`);
}

for (const [how, bucket] of [['bucket(name, { userProject })', told], ['setUserProject()', toldLater]]) {
  const file = bucket.file('a');
  console.log(how);
  await passes('  upload', () => file.save(CONTENT, { resumable: false }));
  await passes('  metadata', () => file.getMetadata());
  await passes('  list', () => bucket.getFiles());
  await isRefused('  download()', () => file.download());
  await isRefused('  createReadStream()', () => text(file.createReadStream()));
  await passes('  download({ userProject })', () => file.download(payer));
}
server.close();
server.closeAllConnections();
console.log('as described');
END
env -u STORAGE_EMULATOR_HOST node "$folder/ask.mjs"
