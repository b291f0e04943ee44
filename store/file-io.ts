import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

/** Writes a new file whose bytes survive a power cut. */
export async function writeDurably(path: string, data: Uint8Array, mode: number): Promise<void> {
  const makeNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
  await withFile(path, makeNew, (handle) => handle.writeFile(data).then(() => handle.sync()), mode);
}

export async function withFile<T>(path: string, flags: number, use: (handle: FileHandle) => Promise<T>, mode?: number) {
  const handle = await open(path, flags, mode);
  try {
    return await use(handle);
  } finally {
    await handle.close();
  }
}
