import fc from 'fast-check';
import { expect, test } from 'vitest';
import { binsOf } from '../../../domain/bins.ts';
import { SIZES } from '../../../domain/size.ts';
import type { Thrift } from '../../../domain/thrift.ts';
import { painterMemory } from '../../../models/pixart/index.ts';
import { nextRung } from '../../../models/pixart/ladder.ts';
import type { Networks } from '../../../models/pixart/networks.ts';

const networks: Networks = {
  ...{ encoderWeights: 1e7, painterWeights: 4e7, transformerWidth: 192, heads: 6, patch: 2, factor: 8, maxTokens: 120 },
  decoderChannels: 32,
};

const pictures = fc
  .constantFrom(...SIZES)
  .chain((size) => fc.constantFrom(...binsOf(size)))
  .chain((bin) =>
    fc.record({
      ...{ bin: fc.constant(bin), isGuided: fc.boolean(), isWhole: fc.boolean() },
      onePiece: fc.constantFrom(undefined, 256 ** 2),
    }),
  );

const stages = fc.infiniteStream(fc.constantFrom('denoise' as const, 'decode' as const));

const ladderPicture = ({
  bin,
  isGuided,
  isWhole,
  onePiece,
}: {
  bin: { height: number; width: number };
  isGuided: boolean;
  isWhole: boolean;
  onePiece?: number | undefined;
}) => {
  const [height, width] = [bin.height / 8, bin.width / 8];
  return { height, width, onePiece, tokens: (height * width) / 4, isGuided, isWhole };
};

test('every rung needs less memory than the one before, and there are few of them', () => {
  fc.assert(
    fc.property(pictures, stages, (picture, stage) => {
      let rung: Thrift = {};
      for (let lowered = 0; ; lowered++) {
        const next = nextRung(ladderPicture(picture), rung, stage.next().value);
        if (next === null) break;
        const { onePiece } = picture;
        const total = (thrift: Thrift): number =>
          painterMemory({ ...networks, onePiece }, { ...picture, thrift })!.total;
        expect(total(next)).toBeLessThan(total(rung));
        rung = next;
        expect(lowered).toBeLessThan(3);
      }
    }),
  );
});

test('a picture that was asked for in one piece is never made of tiles', () => {
  fc.assert(
    fc.property(pictures, (picture) => {
      const next = nextRung(ladderPicture({ ...picture, isWhole: true }), {}, 'decode');
      expect(next?.tileLatents).toBeUndefined();
    }),
  );
});

test('where the transformer finds no memory, tiles stay as they are', () => {
  fc.assert(
    fc.property(pictures, (picture) => {
      expect(nextRung(ladderPicture(picture), {}, 'denoise')?.tileLatents).toBeUndefined();
    }),
  );
});

test('a picture of 1024 px goes down by tiles of 64 latents, tiles of 32, and halves of guidance', () => {
  const picture = { height: 128, width: 128, tokens: 4096, isGuided: true, isWhole: false };
  const first = nextRung(picture, {}, 'decode');
  const second = nextRung(picture, first!, 'decode');
  const third = nextRung(picture, second!, 'decode');
  expect([first, second, third, nextRung(picture, third!, 'decode')]).toEqual([
    { tileLatents: 64 },
    { tileLatents: 32 },
    { tileLatents: 32, halves: true },
    null,
  ]);
});
