import { type Buffer, isAscii, isUtf8 } from 'node:buffer';

/**
 * The characters of the bytes 0x80 to 0x9F; five are undefined. This is a table because `TextDecoder` decodes them as control
 * characters in some versions of Node.
 */
const HIGH = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ';

/** Decodes Windows-1252; undefined bytes become U+FFFD. */
export const windows1252 = (bytes: Buffer): string =>
  bytes.toString('latin1').replaceAll(/[\u0080-\u009f]/g, (character) => HIGH[character.charCodeAt(0) - 0x80]!);

/** Whether lines can only be Windows-1252: every line beyond ASCII is valid in it, and none is valid UTF-8. */
export function isWindows1252(lines: readonly Buffer[]): boolean {
  const foreign = lines.filter((line) => !isAscii(line));
  return foreign.length > 0 && foreign.every((line) => !isUtf8(line) && !windows1252(line).includes('\ufffd'));
}
