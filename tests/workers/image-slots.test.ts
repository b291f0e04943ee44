import type { SlotReserveContext } from '@temporalio/worker';
import { expect, test } from 'vitest';
import { HeldPictures } from '../../activities/index.ts';
import { imageTuners } from '../../workers/image-slots.ts';
import { imagesInHand } from '../../workflows/contract/limits.ts';

/** The queues of one size, and how many of the slots that each asked for it was given by now. */
function queues(children: number, count: number, atOnce = 1) {
  const held = new HeldPictures();
  const given = Array.from({ length: count }, () => 0);
  const suppliers = imageTuners('256', held, { children, atOnce }, count).map((tuner) => {
    const slots = 'activityTaskSlotSupplier' in tuner ? tuner.activityTaskSlotSupplier : undefined;
    if (slots?.type !== 'custom') throw new Error('expected slots of our own');
    return slots;
  });
  return {
    held,
    given,
    ask: async (queue: number, times: number): Promise<void> => {
      for (let i = 0; i < times; i++) {
        const reserved = suppliers[queue]!.reserveSlot({} as SlotReserveContext, new AbortController().signal);
        void reserved.then(() => given[queue]!++);
      }
      await settled();
    },
    release: async (queue: number): Promise<void> => {
      suppliers[queue]!.releaseSlot({} as never);
      given[queue]! -= 1;
      await settled();
    },
  };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('one queue has all images in hand', async () => {
  const { ask, given } = queues(2, 1);
  await ask(0, 10);
  expect(given).toEqual([imagesInHand(2)]);
});

test('a child that computes several images at once has as many more on their way', async () => {
  const { ask, given } = queues(1, 1, 4);
  await ask(0, 20);
  expect(given).toEqual([8]);
});

test.each([1, 2, 5])(
  'two queues of one size share what a worker of %i children has in hand, and neither starves',
  async (children) => {
    const { ask, given, release } = queues(children, 2);
    await ask(0, 20);
    expect(given).toEqual([children, 0]);
    await ask(1, 20);
    expect(given).toEqual([children, 1]);
    for (let i = 0; i < 3; i++) {
      await release(1);
      expect(given).toEqual([children, 1]);
    }
  },
);

test('a held picture makes room for one image, not for one of each queue', async () => {
  const { ask, given, held } = queues(1, 2);
  await ask(0, 20);
  await ask(1, 20);
  let end = (): void => {};
  const stored = new Promise<void>((resolve) => {
    end = resolve;
  });
  const holding = held.whileHeld({ key: 'a', size: '256', bytes: 1 }, () => stored);
  await settled();
  expect(given[0]! + given[1]!).toBe(imagesInHand(1) + 1);
  end();
  await holding;
});
