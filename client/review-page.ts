import type { BatchResult } from '../workflows/contract/batch.ts';
import type { BatchClient } from './connect.ts';

/** Waits until the page to review a batch with is there, or will not be. */
export async function sheetPageEnd(client: BatchClient, { sheetPage }: BatchResult): Promise<void> {
  if (sheetPage === undefined) return;
  await client.temporal.workflow.result(sheetPage).catch(() => undefined);
}

/** `false` while it is being made, and where it could not be. */
export async function isSheetPageMade(client: BatchClient, { sheetPage }: BatchResult): Promise<boolean> {
  if (sheetPage === undefined) return false;
  const { status } = await client.temporal.workflow.getHandle(sheetPage).describe();
  return status.name === 'COMPLETED';
}
