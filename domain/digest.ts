import * as crypto from 'node:crypto';
import stringify from 'safe-stable-stringify';

/** SHA-256 in hexadecimal. `crypto.hash` takes a third of the time; Node before 20.12 lacks it. */
export const sha256 = (text: string): string =>
  crypto.hash === undefined ? crypto.createHash('sha256').update(text).digest('hex') : crypto.hash('sha256', text);

/** SHA-256 of a value's JSON with sorted keys, in hexadecimal. */
export const digestOf = (value: Record<string, unknown>): string => sha256(stringify(value));
