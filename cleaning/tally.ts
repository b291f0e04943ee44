import { type ListedObject, ObjectKept } from '../store/index.ts';
import type { LooseKind } from './own-names.ts';

export type Kind = 'batches' | LooseKind;

const KINDS: Kind[] = ['batches', 'objects', 'checkpoints', 'captions', 'damaged'];

/** What was, or would be, removed of a kind. */
export type Count = {
  files: number;
  bytes: number;
  /** Files that the store refused to remove. */
  kept: number;
  /** Why it kept one of them. */
  keptWhy: string | null;
};

export type Counts = Record<Kind, Count>;

export const noCounts = (): Counts =>
  Object.fromEntries(KINDS.map((kind) => [kind, { files: 0, bytes: 0, kept: 0, keptWhy: null }])) as Counts;

export function countGone(count: Count, { bytes, isShared }: ListedObject, isBatchs = false): void {
  count.files += 1;
  if (!(isBatchs && isShared)) count.bytes += bytes;
}

/** Counts an object that the store keeps, since it may remove the others. @throws any other error */
export async function orKept(count: Count, removal: () => Promise<void>): Promise<void> {
  try {
    await removal();
  } catch (error) {
    if (!(error instanceof ObjectKept)) throw error;
    count.kept += 1;
    count.keptWhy = error.why;
  }
}
