import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Writes a new file whose bytes survive a power cut. */
export async function writeDurably(path: string, data: Uint8Array, mode: number): Promise<void> {
  const makeNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  await withFile(path, makeNew, (handle) => handle.writeFile(data).then(() => handle.sync()), mode);
}

/** The whole file, or the first `most` + 1 bytes of a longer one. */
export async function readUpTo(handle: FileHandle, most: number): Promise<Uint8Array> {
  if (most === Number.POSITIVE_INFINITY || (await handle.stat()).size <= most) return handle.readFile();
  const { buffer, bytesRead } = await handle.read(Buffer.alloc(most + 1), 0, most + 1, 0);
  return buffer.subarray(0, bytesRead);
}

export async function withFile<T>(path: string, flags: number, use: (handle: FileHandle) => Promise<T>, mode?: number) {
  const handle = await open(path, flags, mode);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
