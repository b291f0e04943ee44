import type { CustomSlotSupplier, SlotPermit, WorkerTuner } from '@temporalio/worker';
import type { HeldPictures } from '../activities/index.ts';
import type { Size } from '../domain/size.ts';
import { imagesInHand } from '../workflows/contract/limits.ts';

type ActivitySlots = Extract<WorkerTuner, { activityTaskSlotSupplier: unknown }>['activityTaskSlotSupplier'];
type Slots = Extract<ActivitySlots, CustomSlotSupplier<never>>;

/**
 * How many images of one size a worker takes: those whose finished picture waits for its store do not count, and while such
 * pictures are as many as a worker may hold it takes none at all.
 *
 * @param children how many images its renderer computes at once
 */
export function imageTuner(size: Size, held: HeldPictures, children: number): WorkerTuner {
  // It has no tasks of the other kinds.
  const none = { type: 'fixed-size', numSlots: 1 } as const;
  return {
    activityTaskSlotSupplier: imageSlots(size, held, imagesInHand(children)),
    workflowTaskSlotSupplier: none,
    localActivityTaskSlotSupplier: none,
    nexusTaskSlotSupplier: none,
  };
}

function imageSlots(size: Size, held: HeldPictures, most: number): Slots {
  let taken = 0;
  const asking: (() => void)[] = [];
  const isFree = (): boolean => taken - held.count(size) < most && !held.isFull;
  const give = (): void => {
    while (asking.length > 0 && isFree()) {
      taken += 1;
      asking.shift()!();
    }
  };
  const takeBack = (): void => {
    taken -= 1;
    give();
  };
  held.onChange(give);

  return {
    type: 'custom',
    reserveSlot: (_, signal) =>
      new Promise<SlotPermit>((resolve, reject) => {
        const ask = (): void => resolve({});
        asking.push(ask);
        give();
        // The SDK gives up what it asked for, also between our answer and its having it.
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
}
