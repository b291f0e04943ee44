#!/usr/bin/env bash
# sharp drops an XMP packet of more than 60,000 bytes from a JPEG file and reports success; only its event `warning`
# mentions it. Expected: the packet in the file, or an error. The documentation of withXmp() lists JPEG among the
# supported formats and names no limit; a JPEG segment has room for 65,502 bytes (XMP specification, part 3), and PNG
# and WebP keep that many. Seen with sharp 0.35.5 and libvips 8.18.7. Exits with 1 if this has changed. Needs Node 20.9
# or later with npm.
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
const [head, tail] = [
  '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' +
    '<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>',
  '</dc:source></rdf:Description></rdf:RDF></x:xmpmeta>',
];
const packetOf = (bytes) => head + 'a'.repeat(bytes - head.length - tail.length) + tail;

/** What a file of the format keeps of a packet of `bytes` bytes, and what sharp reports. */
async function keep(format, bytes) {
  const warnings = [];
  const image = sharp({ create: { width: 64, height: 64, channels: 3, background: 'teal' } });
  image.on('warning', (warning) => warnings.push(warning));
  const packet = packetOf(bytes);
  const { xmp } = await sharp(await image.withXmp(packet).toFormat(format).toBuffer()).metadata();
  if (xmp && xmp.toString() !== packet) changed(`${format} has a different packet than the one of ${bytes} bytes`);
  console.log(`${format}, ${bytes} bytes: ${xmp ? 'kept' : 'lost'} ${warnings.join()}`);
  return { kept: xmp !== undefined, warnings };
}

console.log(`sharp ${sharp.versions.sharp}, libvips ${sharp.versions.vips}`);
for (const format of ['png', 'webp']) if (!(await keep(format, 65_502)).kept) changed(`${format} loses a long packet as well`);
if (!(await keep('jpeg', 60_000)).kept) changed('60,000 bytes are lost as well');
for (const bytes of [60_001, 65_502]) {
  const { kept, warnings } = await keep('jpeg', bytes);
  if (kept) changed(`${bytes} bytes are kept`);
  if (warnings.join() !== 'large XMP not saved') changed(`sharp says "${warnings.join()}" of ${bytes} bytes`);
}
console.log('as described');
END
node "$folder/encode.mjs"
