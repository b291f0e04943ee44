import project from '../package.json' with { type: 'json' };

/** How an image was made, as far as AUTOMATIC1111's format covers it. */
type Parameters = {
  prompt: string;
  negativePrompt: string;
  steps: number;
  guidance: number;
  seed: number;
  width: number;
  height: number;
  bundle: { name: string; digest: string };
};

/** Length of a digest in that format. */
const HASH_CHARACTERS = 10;

const SIGNATURE = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');

/** Signature and IHDR, the first chunk of every PNG, which has a fixed length. */
const HEAD_BYTES = 8 + 25;

/**
 * Adds parameters to a PNG as a text chunk in the format of AUTOMATIC1111's web UI, which many image tools read: the prompt, a
 * line with the negative prompt, and a line of settings.
 *
 * @throws TypeError for anything other than a PNG, which a chunk would corrupt
 */
export function withPngParameters(png: Uint8Array, parameters: Parameters): Uint8Array {
  if (!SIGNATURE.equals(png.subarray(0, SIGNATURE.length))) throw new TypeError('parameters: expected a PNG');
  const text = parametersText(parameters);
  return Buffer.concat([png.subarray(0, HEAD_BYTES), textChunk('parameters', text), png.subarray(HEAD_BYTES)]);
}

function parametersText({ prompt, negativePrompt, steps, guidance, seed, width, height, bundle }: Parameters): string {
  const settings = {
    Steps: steps,
    'CFG scale': guidance,
    Seed: seed,
    Size: `${width}x${height}`,
    'Model hash': bundle.digest.slice(0, HASH_CHARACTERS),
    Model: bundle.name,
    Version: `${project.name} ${project.version}`,
  };
  return [
    prompt,
    ...(negativePrompt === '' ? [] : [`Negative prompt: ${negativePrompt}`]),
    Object.entries(settings)
      .map(([name, value]) => `${name}: ${value}`)
      .join(', '),
  ].join('\n');
}

/**
 * tEXt for ASCII, iTXt for UTF-8 (PNG 1.2, 4.2.3): readers disagree on tEXt beyond ASCII, which libvips 8.18 reads as
 * UTF-8 and others as Latin-1.
 */
function textChunk(keyword: string, text: string): Uint8Array {
  // A zero byte would end the text.
  const written = text.replaceAll('\0', '');
  return /^[\0-\x7f]*$/.test(written)
    ? chunk('tEXt', Buffer.from(`${keyword}\0${written}`, 'latin1'))
    : chunk('iTXt', Buffer.from(`${keyword}\0\0\0\0\0${written}`, 'utf8'));
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const named = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const whole = Buffer.alloc(named.length + 8);
  whole.writeUInt32BE(data.length);
  whole.set(named, 4);
  whole.writeUInt32BE(crc32(named), named.length + 4);
  return whole;
}

/** Only for a few thousand bytes; Node has its own since 20.15. */
function crc32(data: Uint8Array): number {
  let crc = -1;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
