import { z } from 'zod';
import { ObjectNotFound, type ObjectStore } from '../store/object-store.ts';
import { isBatchId, latestBatchName } from './layout.ts';

const schema = z.object({ catalog: z.string(), batch: z.string().refine(isBatchId) });

/** The batch of the catalog at this URL that ended last; `null` where none has, or what is noted is not readable. */
export async function latestBatch(store: ObjectStore, catalog: string): Promise<string | null> {
  try {
    const text = Buffer.from(await store.read(latestBatchName(catalog))).toString('utf8');
    return schema.parse(JSON.parse(text)).batch;
  } catch (error) {
    if (error instanceof ObjectNotFound || error instanceof z.ZodError || error instanceof SyntaxError) return null;
    throw error;
  }
}

/** Notes that a batch of the catalog has ended. Of two that end at once either may be the last. */
export async function keepLatestBatch(store: ObjectStore, catalog: string, batch: string): Promise<void> {
  const text = `${JSON.stringify({ catalog, batch } satisfies z.infer<typeof schema>)}\n`;
  await store.replace(latestBatchName(catalog), Buffer.from(text), 'application/json');
}
