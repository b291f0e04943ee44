import { Command } from 'commander';
import type { ControlChange, RowFilter } from '../../client/index.ts';
import { batchEnd, cancelBatch } from '../../client/index.ts';
import type { Size } from '../../domain/size.ts';
import { UserError } from '../../domain/user-error.ts';
import { note, printJson, printLine } from '../display/output.ts';
import { tellEnd } from '../display/tell-end.ts';
import { EXIT } from '../exit-codes.ts';
import { whereOption } from '../options/batch-options.ts';
import {
  addServerOptions,
  type JsonOptions,
  jsonOption,
  type ServerOptions,
  sizesOption,
} from '../options/common-options.ts';
import { changeBatch, withClient } from '../with-client.ts';

const examples = `
Images in progress stop within a step; the manifest lists the finished ones. "retry" renders the rest later. The batch ends
within a minute, even if its store is unreachable: then without a manifest (exit code 3 with --wait), which "retry" writes.
With --size or --where, the batch continues without the rows that match any of them; an option that matches no row is an error.

Examples:
  $ npx pixart-batch cancel catalog-20260131T093000Z
  $ npx pixart-batch cancel catalog-20260131T093000Z --wait
  $ npx pixart-batch cancel catalog-20260131T093000Z --size 4k
  $ npx pixart-batch cancel catalog-20260131T093000Z --where "team=icons" --where "id=draft-*"
`;

export const cancelCommand = (): Command =>
  addServerOptions(new Command('cancel'))
    .argument('<batch>')
    .addOption(sizesOption('cancel only images of this size'))
    .addOption(whereOption())
    .option('--wait', 'wait until the batch has stopped and its manifest is written')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(cancel);

type CancelOptions = ServerOptions & JsonOptions & { wait?: true; size?: Size[]; where?: RowFilter[] };

async function cancel(batch: string, options: CancelOptions): Promise<void> {
  const { size: sizes = [], where: filters = [] } = options;
  if (sizes.length + filters.length > 0) return cancelPart(batch, sizes, filters, options);
  const json = options.json === true;
  await withClient(options, async (client) => {
    await cancelBatch(client, batch);
    if (!options.wait) return json ? printJson({ batch, cancelling: true }) : printLine(`batch ${batch} is stopping`);
    note(`batch ${batch} is stopping …`);
    const end = await batchEnd(client, batch);
    await tellEnd(client, batch, end, json);
    // Missing images are what the user asked for; a missing manifest is not.
    if (end.state === 'failed' || (end.state === 'cancelled' && end.withoutManifest !== undefined)) {
      process.exitCode = EXIT.imagesMissing;
    }
  });
}

async function cancelPart(batch: string, sizes: Size[], filters: RowFilter[], options: CancelOptions): Promise<void> {
  if (options.wait) {
    throw new UserError('--wait: expected no --size or --where with it; the batch continues, follow it with "watch"');
  }
  const parts: { change: ControlChange; what: string; more: string }[] = [
    ...sizes.map((size) => ({
      change: { kind: 'cancel-size', size } as const,
      what: `its images of size ${size}`,
      more: '',
    })),
    ...filters.map((filter) => ({
      change: { kind: 'cancel-rows', filter } as const,
      what: `rows of ${filter.column}=${filter.pattern}`,
      more: '; it reports their number when it ends',
    })),
  ];
  const done: string[] = [];
  for (const { change, what, more } of parts) {
    try {
      await changeBatch(batch, change, options, `continues without ${what}${more}`);
    } catch (error) {
      if (done.length > 0) note(`batch ${batch} continues without ${done.join(' and ')} nevertheless`);
      throw error;
    }
    done.push(what);
  }
}
