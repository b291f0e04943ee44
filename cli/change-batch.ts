import { controlBatch } from '../client/index.ts';
import type { ControlChange } from '../workflows/contract/control.ts';
import { printJson, printLine } from './display/output.ts';
import type { JsonOptions, ServerOptions } from './options.ts';
import { withClient } from './with-client.ts';

/** Changes how a batch is run, and says so. */
export async function changeBatch(
  batch: string,
  change: ControlChange,
  options: ServerOptions & JsonOptions,
  said: string,
): Promise<void> {
  await withClient(options, (client) => controlBatch(client, batch, change));
  if (options.json) printJson({ batch, ...change });
  else printLine(`batch ${batch} ${said}`);
}
