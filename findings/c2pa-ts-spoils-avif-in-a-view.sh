#!/usr/bin/env bash
# @trustnxt/c2pa-ts corrupts an AVIF image when it makes room for a manifest in a view of a larger buffer, which Node's
# Buffers often are: sharp then cannot decode the image. Expected: the same image with room in it, as when the bytes are
# copied first; its class BMFF accepts any Uint8Array. Seen with @trustnxt/c2pa-ts 0.9.4 and sharp 0.35.5. Exits with 1
# if this has changed. Needs Node 20.9 or later with npm.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" @trustnxt/c2pa-ts@0.9.4 sharp@0.35.5 || exit 2

cat >"$folder/reserve.mjs" <<'END'
import { BMFF } from '@trustnxt/c2pa-ts/asset';
import sharp from 'sharp';

const changed = (what) => {
  console.log(`changed: ${what}`);
  process.exit(1);
};
const picture = await sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } }).avif().toBuffer();

/** Makes room for a manifest, which moves everything after it; returns whether the image can still be decoded. */
async function decodes(file) {
  const asset = new BMFF(file);
  await asset.ensureManifestSpace(5_000);
  const moved = await asset.getDataRange();
  return sharp(Buffer.from(moved)).raw().toBuffer().then(() => true, (error) => void console.log(error.message.split('\n')[0]));
}

const copy = new Uint8Array(picture);
if (!(await decodes(copy))) changed('a copy cannot be decoded either');
console.log('from a copy of the bytes: decoded');

const larger = new Uint8Array(picture.length + 16);
larger.set(picture, 16);
if (await decodes(larger.subarray(16))) changed('a view can be decoded');
console.log('from a view 16 bytes into a buffer: not decoded');
console.log('as described');
END
node "$folder/reserve.mjs"
