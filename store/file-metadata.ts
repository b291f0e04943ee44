import { z } from 'zod';
import type { ObjectMetadata } from './object-store.ts';

/** Metadata is kept apart from the objects: a folder of pictures should hold only pictures. */
export const metadataName = (name: string): string => `metadata/${name}.json`;

const schema = z.record(z.string(), z.string());

export const encodeMetadata = (metadata: ObjectMetadata): Uint8Array => Buffer.from(`${JSON.stringify(metadata)}\n`);

/** A power cut or an editor may leave anything in the file; if it cannot be read, there is no metadata. */
export function decodeMetadata(file: Uint8Array | null): ObjectMetadata {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(file ?? '').toString('utf8'))).data ?? {};
  } catch {
    return {};
  }
}
