/** A bucket answers in some 50 ms: so many requests at once keep it busy, and a laptop's disk is not harmed. */
const AT_ONCE = 16;

/**
 * Works through items, some at once. No other is begun once one has failed or the signal came; those that are under way are awaited, and the
 * listing that the items come from is closed. p-map 7.0.4 and the Readable.forEach of Node 20 reject while others are under way, and p-map
 * leaves the listing open; p-limit has to be given all items at once.
 *
 * @throws what the first one to fail threw
 */
export async function inParallel<T>(
  items: AsyncIterable<T> | Iterable<T>,
  work: (item: T) => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  const source = (async function* () {
    yield* items;
  })();
  const failures: unknown[] = [];
  const worker = async (): Promise<void> => {
    while (failures.length === 0 && !signal?.aborted) {
      const { done, value } = await source.next();
      if (done) return;
      await work(value);
    }
  };
  const keep = (error: unknown): void => void failures.push(error);
  await Promise.all(Array.from({ length: AT_ONCE }, () => worker().catch(keep)));
  await source.return(undefined);
  if (failures.length > 0) throw failures[0];
}
