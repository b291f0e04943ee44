#!/usr/bin/env bash
# sharp encodes the same pixels to different AVIF files with 1, 2 and 4 threads, though each is reproducible; the
# decoded pixels differ too, by a few of 255 steps. Expected: the same file, as for PNG, WebP and JPEG. The
# documentation of sharp.concurrency() says that libaom has four threads of its own, whatever is set there; but libvips
# passes the number on to it (its pull request 3758). Seen with sharp 0.35.5, libvips 8.18.7 and libaom 3.15.1. Exits
# with 1 if this has changed. Needs Node 20.9 or later with npm.
set -euo pipefail

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder" sharp@0.35.5 || exit 2

cat >"$folder/encode.mjs" <<'END'
import sharp from 'sharp';

const changed = (what) => {
  console.log(`changed: ${what}`);
  process.exit(1);
};
const SIDE = 512;
const wave = (_, byte) => 128 + 127 * Math.sin((byte % (SIDE * 3)) / 31) * Math.cos(byte / (SIDE * 3) / 17);
const pixels = Uint8Array.from({ length: SIDE * SIDE * 3 }, wave);

async function encode(format, threads) {
  sharp.concurrency(threads);
  return sharp(pixels, { raw: { width: SIDE, height: SIDE, channels: 3 } }).toFormat(format, { quality: 60 }).toBuffer();
}
async function decode(file) {
  sharp.concurrency(1);
  return sharp(file).raw().toBuffer();
}

console.log(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}, libaom ${sharp.versions.aom}`);
for (const format of ['png', 'webp', 'jpeg']) {
  const one = await encode(format, 1);
  for (const threads of [2, 4]) if (!one.equals(await encode(format, threads))) changed(`${format} differs with ${threads} threads`);
  console.log(`${format}: the same file with 1, 2 and 4 threads`);
}

const files = [];
for (const threads of [1, 2, 4]) {
  const file = await encode('avif', threads);
  if (!file.equals(await encode('avif', threads))) changed(`avif differs between runs with ${threads} threads`);
  const same = files.find((other) => other.file.equals(file));
  if (same) changed(`avif is the same with ${same.threads} and ${threads} threads`);
  files.push({ threads, file, decoded: await decode(file) });
}
const [one] = files;
for (const { threads, file, decoded } of files) {
  const steps = decoded.map((value, byte) => Math.abs(value - one.decoded[byte]));
  const differ = steps.reduce((count, step) => count + (step > 0), 0);
  const most = steps.reduce((largest, step) => Math.max(largest, step));
  console.log(`avif, threads ${threads}: ${file.length} bytes; decoded, ${differ} of ${steps.length} bytes differ from those with 1 thread, by at most ${most}`);
  if (threads > 1 && differ === 0) changed(`avif decodes to the same pixels with 1 and ${threads} threads`);
}
console.log('as described');
END
node "$folder/encode.mjs"
