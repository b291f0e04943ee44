import { type Buffer, isAscii, isUtf8 } from 'node:buffer';

/**
 * The characters of the bytes 0x80 to 0x9F; five of them stand for none. A table, as `TextDecoder` reads these bytes as control characters
 * in some versions of Node.
 */
const HIGH = '€\ufffd‚ƒ„…†‡ˆ‰Š‹Œ\ufffdŽ\ufffd\ufffd‘’“”•–—˜™š›œ\ufffdžŸ';

/** Text in Windows-1252; a byte that stands for nothing is U+FFFD. */
export const windows1252 = (bytes: Buffer): string =>
  bytes.toString('latin1').replaceAll(/[\u0080-\u009f]/g, (character) => HIGH[character.charCodeAt(0) - 0x80]!);

/** Whether lines can be Windows-1252 and nothing else: they have bytes of it that are no UTF-8, and no line that is. */
export function isWindows1252(lines: readonly Buffer[]): boolean {
  const foreign = lines.filter((line) => !isAscii(line));
  return foreign.length > 0 && foreign.every((line) => !isUtf8(line) && !windows1252(line).includes('\ufffd'));
}
