/**
 * Takes items in order and works on `width` of them at once. A lane that finishes takes the next item, until the items
 * end or `next` says to stop; then the window is drained. A promise from `next` is waited for, and `next` asked again.
 *
 * `work` handles its own failures: what it throws (a cancellation) ends its lane only, the other lanes are awaited, and
 * then the first error is thrown.
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
