import { createHash } from 'node:crypto';
import { open, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../domain/user-error.ts';

/** The digests of all parts, as sha256sum writes and checks them. */
export const DIGESTS = 'SHA256SUMS';

/** Writes a stream as files of `bytes` each, and their digests; returns their names. */
export async function writeParts(stream: AsyncIterable<Buffer>, folder: string, bytes: number): Promise<string[]> {
  const lines: string[] = [];
  const names: string[] = [];
  let left = 0;
  let part: { end: () => Promise<void>; write: (data: Buffer) => Promise<void> } | undefined;
  for await (const chunk of stream) {
    for (let from = 0; from < chunk.length; ) {
      if (part === undefined) {
        const name = `kit.tar.gz.${String(names.length).padStart(3, '0')}`;
        names.push(name);
        part = await beginPart(path.join(folder, name), (digest) => lines.push(`${digest}  ${name}`));
        left = bytes;
      }
      const piece = chunk.subarray(from, from + left);
      await part.write(piece);
      from += piece.length;
      left -= piece.length;
      if (left === 0) {
        await part.end();
        part = undefined;
      }
    }
  }
  await part?.end();
  await writeFile(path.join(folder, DIGESTS), lines.map((line) => `${line}\n`).join(''));
  return names;
}

async function beginPart(file: string, onEnd: (digest: string) => void) {
  const handle = await open(file, 'wx');
  const hash = createHash('sha256');
  return {
    async write(data: Buffer) {
      hash.update(data);
      await handle.writeFile(data);
    },
    async end() {
      await handle.close();
      onEnd(hash.digest('hex'));
    },
  };
}

const UNITS: Record<string, number> = { kB: 1e3, MB: 1e6, GB: 1e9 };

/** @throws UserError unless the text is a size such as 60MB */
export function bytesOf(text: string): number {
  const [, number, unit] = /^(\d+(?:\.\d+)?) ?(kB|MB|GB)$/.exec(text) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit ?? ''] ?? Number.NaN));
  if (bytes > 0) return bytes;
  throw new UserError(`--part: expected a size such as 60MB, found ${text}`);
}
