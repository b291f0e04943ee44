const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** A grapheme of this many bytes or more is looked up character by character. */
const LONG = 6;

const LEAF = 1 << 31;

/**
 * SentencePiece's normalisation by its precompiled table, as the Rust tokenizers apply it: a Darts double array over UTF-8
 * bytes, then the replacements, each ended by a zero byte.
 *
 * Source: huggingface/tokenizers, normalizers/precompiled.rs, and huggingface/spm_precompiled, src/lib.rs. Its lookup takes
 * the shortest entry that begins the text, and so does this one: SentencePiece itself would take the longest.
 *
 * @param charsmap base64, as in tokenizer.json
 */
export function charsmapNormalizer(charsmap: string): (text: string) => string {
  const bytes = Buffer.from(charsmap, 'base64');
  const trieBytes = bytes.readUInt32LE(0);
  const trie = Uint32Array.from({ length: trieBytes / 4 }, (_, i) => bytes.readUInt32LE(4 + 4 * i));
  const replacements = bytes.subarray(4 + trieBytes);
  const replace = (part: string): string | null => {
    const begin = lookUp(trie, Buffer.from(part));
    return begin === null ? null : replacements.toString('utf8', begin, replacements.indexOf(0, begin));
  };
  const replaceGrapheme = (grapheme: string): string =>
    (Buffer.byteLength(grapheme) < LONG ? replace(grapheme) : null) ??
    Array.from(grapheme, (character) => replace(character) ?? character).join('');
  return (text) => Array.from(graphemes.segment(text), ({ segment }) => replaceGrapheme(segment)).join('');
}

/** The value of the shortest key that begins the bytes, or null. */
function lookUp(trie: Uint32Array, bytes: Uint8Array): number | null {
  let position = childrenOf(trie[0]!);
  for (const byte of bytes) {
    if (byte === 0) return null;
    position ^= byte;
    const unit = trie[position]!;
    if ((unit & (LEAF | 0xff)) !== byte) return null;
    position ^= childrenOf(unit);
    if (unit & 0x100) return trie[position]! & ~LEAF;
  }
  return null;
}

const childrenOf = (unit: number): number => (unit >>> 10) << ((unit & 0x200) >>> 6);
