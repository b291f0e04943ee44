import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pieceOf, planFolder, receiptsFolder, shardName, shardReceiptsName } from '../../records/layout.ts';
import { FOREIGN_NAMES } from './foreign-names.ts';

test.each(FOREIGN_NAMES)('%j in the folder of a plan is not one of its pieces', (name) => {
  for (const folder of [planFolder('night'), receiptsFolder('night')])
    expect(pieceOf(folder, folder + name)).toBeNull();
});

test('every name that a piece can have is recognised', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 0, max: 2_000_000 }), (round, shard) => {
      expect(pieceOf(planFolder('night'), shardName('night', round, shard))).toMatchObject({ round, shard, number: 1 });
      expect(pieceOf(receiptsFolder('night'), shardReceiptsName('night', round, shard))).toMatchObject({
        round,
        shard,
        number: 1,
      });
    }),
  );
});
