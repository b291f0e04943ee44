import { CancellationScope, setHandler } from '@temporalio/workflow';
import { SIZES, type Size } from '../../domain/size.ts';
import type { BatchInput } from '../contract/batch.ts';
import type { ControlChange } from '../contract/control.ts';
import { controlUpdate } from '../messages.ts';
import { announce } from '../webhook/announce.ts';
import type { Batch } from './batch-carry.ts';
import { changed, refusal, withinBudget } from './control.ts';

/** Lets people change how the batch is run. What they change is in force when the update is answered. */
export function takeControl(input: BatchInput, batch: Batch, update: () => void): void {
  const take = (change: ControlChange): void => {
    batch.control = changed(batch.control, change, failedOf(batch));
    if (change.kind === 'cancel-size') leaveOut(batch, change.size);
    batch.running.tell(batch.control);
    update();
  };
  const validator = (change: ControlChange): void => {
    const { ledger, control } = batch;
    const sizes = SIZES.filter((size) => ledger.bySize[size] !== undefined);
    const isRunning = ledger.state === 'planning' || ledger.state === 'rendering';
    const rows = { sizes, columns: ledger.columns };
    const reason = isRunning ? refusal(control, rows, change) : `it is ${ledger.state}`;
    if (reason !== null) throw new Error(`batch ${input.batch}: ${reason}`);
  };
  setHandler(controlUpdate, take, { validator });
}

/** Shards of a cancelled size that have not begun never do. */
function leaveOut(batch: Batch, size: Size): void {
  for (const shard of batch.waiting) if (shard.size === size) batch.ledger.cancelled += shard.jobs;
  batch.waiting = batch.waiting.filter((shard) => shard.size !== size);
}

const failedOf = ({ ledger }: Batch): number =>
  Object.values(ledger.bySize).reduce((total, { failed }) => total + failed, 0);

/** Pauses the batch where too many of its jobs fail. */
export function keepBudget(input: BatchInput, batch: Batch): void {
  const jobs = Object.values(batch.ledger.bySize).reduce((total, size) => total + size.jobs, 0);
  const control = withinBudget(batch.control, jobs, failedOf(batch));
  if (control === batch.control) return;
  batch.control = control;
  batch.running.tell(control);
  // Failures of a cancelled batch are told when it has ended, which is soon.
  if (CancellationScope.current().consideredCancelled) return;
  void announce(input, 'batch.paused', { reason: control.paused ?? '' }, control.version);
}
