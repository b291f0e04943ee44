import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

/** The forms that a word may have in a file: text encodings, base64 at each offset in a group of three bytes, and hexadecimal. */
function forms(word: string): Buffer[] {
  const utf16 = Buffer.from(word, 'utf16le');
  const base64 = [0, 1, 2].map((before) => {
    const text = Buffer.concat([Buffer.alloc(before), Buffer.from(word)]).toString('base64');
    // The first and last characters depend on what surrounds the word.
    return Buffer.from(text.slice(before === 0 ? 0 : before + 1, Math.floor(((before + word.length) * 8) / 6)));
  });
  return [
    Buffer.from(word),
    utf16,
    Buffer.from(utf16).swap16(),
    ...base64,
    Buffer.from(Buffer.from(word).toString('hex')),
  ];
}

/** SQLite's own files. */
const ENDINGS = ['', '-wal', '-shm', '-journal'];

/** The words that an SQLite database contains, in any form. */
export async function wordsIn(dbFile: string, words: readonly string[]): Promise<string[]> {
  const names = ENDINGS.map((ending) => `${dbFile}${ending}`).filter((name) => existsSync(name));
  const files = await Promise.all(names.map((name) => readFile(name)));
  return words.filter((word) => forms(word).some((form) => files.some((file) => file.includes(form))));
}
