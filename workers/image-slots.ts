import type { CustomSlotSupplier, SlotPermit, WorkerTuner } from '@temporalio/worker';
import type { HeldPictures } from '../activities/index.ts';
import type { Size } from '../domain/size.ts';
import { imagesInHand } from '../workflows/contract/limits.ts';

type ActivitySlots = Extract<WorkerTuner, { activityTaskSlotSupplier: unknown }>['activityTaskSlotSupplier'];
type Slots = Extract<ActivitySlots, CustomSlotSupplier<never>>;

/**
 * For each queue of one size, how many images a worker takes of it: those whose finished picture waits for its store do
 * not count, and while such pictures are as many as a worker may hold it takes none at all. All queues together have
 * `imagesInHand`; a queue that has none leaves one of them free for its next, since what an idle queue reserves it
 * keeps.
 *
 * @param renderer its children, and how many images of that size each of them computes at once
 * @param queues of that size; at most `imagesInHand`
 */
export function imageTuners(
  size: Size,
  held: HeldPictures,
  { children, atOnce }: { children: number; atOnce: number },
  queues: number,
): WorkerTuner[] {
  // It has no tasks of the other kinds.
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  return imageSlots(size, held, { most: imagesInHand(children, atOnce), queues }).map((slots) => ({
    activityTaskSlotSupplier: slots,
    workflowTaskSlotSupplier: none,
    localActivityTaskSlotSupplier: none,
    nexusTaskSlotSupplier: none,
  }));
}

type Asking = { queue: number; have: () => void };

function imageSlots(size: Size, held: HeldPictures, { most, queues }: { most: number; queues: number }): Slots[] {
  const taken = Array.from({ length: queues }, () => 0);
  const asking: Asking[] = [];
  const mayHave = ({ queue }: Asking): boolean => {
    const free = most - (taken.reduce((sum, count) => sum + count) - held.count(size));
    const keptForOthers = taken.filter((count, other) => other !== queue && count === 0).length;
    return free > keptForOthers && !held.isFull;
  };
  const give = (): void => {
    for (let next = asking.find(mayHave); next !== undefined; next = asking.find(mayHave)) {
      asking.splice(asking.indexOf(next), 1);
      taken[next.queue]! += 1;
      next.have();
    }
  };
  held.onChange(give);

  return taken.map((_, queue) => {
    const takeBack = (): void => {
      taken[queue]! -= 1;
      give();
    };
    return {
      type: 'custom',
      reserveSlot: (_, signal) =>
        new Promise<SlotPermit>((resolve, reject) => {
          const ask = { queue, have: () => resolve({}) };
          asking.push(ask);
          give();
          // The SDK may abandon a request even after our answer and before it has received it.
          signal.addEventListener('abort', () => {
            const place = asking.indexOf(ask);
            if (place < 0) takeBack();
            else asking.splice(place, 1);
            reject(signal.reason);
          });
        }),
      // For tasks that come with the answer to a workflow task: a render worker has none.
      tryReserveSlot: () => null,
      markSlotUsed: () => {},
      releaseSlot: takeBack,
    };
  });
}
