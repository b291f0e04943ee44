import { createHash } from 'node:crypto';
import stringify from 'safe-stable-stringify';

export const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();

/** SHA-256, in hexadecimal, of a value's JSON with sorted keys. */
export const digestOf = (value: Record<string, unknown>): string => sha256(stringify(value)).toString('hex');
