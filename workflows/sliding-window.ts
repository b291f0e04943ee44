/**
 * Takes items in order and works on `width` of them at once. A lane that finishes takes the next item, until the items
 * end or `pause` says to stop; then the window is drained.
 *
 * `work` handles its own failures: what it throws (a cancellation) ends its lane only, the other lanes are awaited, and
 * then the first error is thrown.
 */
export async function slidingWindow<T>(
  items: Iterator<T>,
  width: number,
  work: (item: T, lane: number) => Promise<void>,
  pause: () => boolean = () => false,
): Promise<void> {
  const lane = async (number: number): Promise<void> => {
    while (!pause()) {
      const next = items.next();
      if (next.done) return;
      await work(next.value, number);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, (_, number) => lane(number)));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
}
