import { describe } from 'vitest';
import { describeBytes } from './bytes.ts';
import { describeFoundObjects } from './found-objects.ts';
import type { FreshStore } from './helpers.ts';
import { describeNames } from './names.ts';
import { describeRemoving } from './removing.ts';

/** What every kind of store must do. */
export function describeObjectStore(kind: string, fresh: FreshStore): void {
  describe(`${kind}, as an object store`, () => {
    describeBytes(fresh);
    describeFoundObjects(fresh);
    describeNames(fresh);
    describeRemoving(fresh);
  });
}
