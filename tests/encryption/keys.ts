import { type Keyring, keyLine, keyringOf } from '../../encryption/keyring.ts';
import { newKey } from '../../encryption/new-key.ts';

/** A random key of this name, as a line of a file of keys. */
export const lineOf = (name: string): string => keyLine(newKey(name));

/** A keyring of these lines; without any, of a new key. */
export const keyring = (...lines: string[]): Keyring =>
  keyringOf((lines.length === 0 ? [lineOf('test')] : lines).join('\n'), 'test');
