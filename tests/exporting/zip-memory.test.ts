import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import AdmZip from 'adm-zip';
import { expect, test } from 'vitest';
import { ZipFile } from '../../exporting/zip-file.ts';
import { emptyPlace } from './places.ts';

const MEBIBYTE = 2 ** 20;

/** Bytes still held outside the heap. */
async function held(): Promise<number> {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  // What one turn of the event loop holds is released after it.
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  return process.memoryUsage().arrayBuffers;
}

test('a zip file releases the memory of what it has written', async () => {
  const path = `${await emptyPlace()}.zip`;
  const zip = await ZipFile.begin(path);
  const before = await held();
  for (let file = 0; file < 150; file++) await zip.add(`${file}.png`, new Uint8Array(MEBIBYTE).fill(file));
  // Up to 64 MiB may wait to be written.
  expect(await held()).toBeLessThan(before + 90 * MEBIBYTE);
  await zip.finish();
  await zip.publish();
  const entries = new AdmZip(path).getEntries();
  expect(entries).toHaveLength(150);
  expect(entries[149]!.getData().equals(Buffer.alloc(MEBIBYTE, 149))).toBe(true);
});
