import { defaultPayloadConverter } from '@temporalio/common';
import type { WithoutKey } from '../encryption/payload-codec.ts';

/** Placeholder in a listing for a value encrypted with a key that this client lacks. */
type Unreadable = { keyMissing: string };

export const markUnreadable: WithoutKey = ({ keyId }) =>
  defaultPayloadConverter.toPayload({ keyMissing: keyId } satisfies Unreadable);

const isUnreadable = (value: unknown): value is Unreadable =>
  typeof value === 'object' && value !== null && 'keyMissing' in value;

/** The readable part of a listing's memo, and the key that the rest needs; `null` if all of it is readable. */
export function readableOf<T>(memo: Record<string, unknown> = {}): { known: Partial<T>; keyMissing: string | null } {
  const unreadable = Object.values(memo).find(isUnreadable);
  const known = Object.fromEntries(Object.entries(memo).filter(([, value]) => !isUnreadable(value)));
  return { known: known as Partial<T>, keyMissing: unreadable?.keyMissing ?? null };
}
