/**
 * Takes items in order and works on `width` of them at once. A lane that finishes takes the next item, until the items
 * end or `next` returns `stop`; then the window drains. If `next` returns a promise, the lane awaits it and calls
 * `next` again.
 *
 * `work` handles its own failures: an error from it (a cancellation) ends its lane only. The other lanes are awaited,
 * and then the first error is thrown.
 */
export async function slidingWindow<T>(
  items: Iterator<T>,
  width: number,
  work: (item: T, lane: number) => Promise<void>,
  next: () => 'go' | 'stop' | Promise<void> = () => 'go',
): Promise<void> {
  const lane = async (number: number): Promise<void> => {
    for (let answer = next(); answer !== 'stop'; answer = next()) {
      if (answer !== 'go') {
        await answer;
        continue;
      }
      const item = items.next();
      if (item.done) return;
      await work(item.value, number);
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: width }, (_, number) => lane(number)));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
}
