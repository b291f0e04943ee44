import { z } from 'zod';
import type { ObjectMetadata } from './object-store.ts';

/** Not beside the objects: a folder of pictures holds pictures. */
export const metadataName = (name: string): string => `metadata/${name}.json`;

const schema = z.record(z.string(), z.string());

export const encodeMetadata = (metadata: ObjectMetadata): Uint8Array => Buffer.from(`${JSON.stringify(metadata)}\n`);

/** A power cut or a person may leave anything there; what cannot be read says nothing. */
export function decodeMetadata(file: Uint8Array | null): ObjectMetadata {
  try {
    return schema.safeParse(JSON.parse(Buffer.from(file ?? '').toString('utf8'))).data ?? {};
  } catch {
    return {};
  }
}
