import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  closeShard,
  emptyLedger,
  enterPlan,
  enterReport,
  enterWarnings,
  progressOf,
} from '../../../workflows/batch/ledger.ts';
import type { BatchInput } from '../../../workflows/contract/batch.ts';
import type { ShardRef } from '../../../workflows/contract/plan.ts';
import type { ShardReport } from '../../../workflows/contract/progress.ts';
import { batchDetails } from '../../../workflows/temporal-ui.ts';

const input = { batch: 'b', round: 1 } as BatchInput;

const shards: ShardRef[] = [
  { shard: 0, size: '256', jobs: 20, name: 'one' },
  { shard: 1, size: '256', jobs: 10, name: 'two' },
  { shard: 2, size: '4k', jobs: 5, name: 'three' },
];

function started() {
  const ledger = emptyLedger();
  enterPlan(ledger, { jobs: 35, shards });
  return ledger;
}

const report = (shard: number, rendered: number, failed = 0): ShardReport => ({
  shard,
  rendered,
  reused: 0,
  failed,
  extraComputations: rendered,
  recentFailures: Array.from({ length: Math.min(5, failed) }, (_, n) => ({
    id: `${shard}-${failed - n}`,
    reason: 'why',
  })),
});

describe("a batch's progress", () => {
  it('shows what the store did not let be replaced, at planning and at the end, in its details too', () => {
    const ledger = emptyLedger();
    enterPlan(ledger, { jobs: 35, shards, warnings: ['not replaced: changes.csv'] });
    enterWarnings(ledger, ['not replaced: rates.json']);
    enterWarnings(ledger, undefined);
    const progress = progressOf(input, ledger);
    expect(progress.warnings).toEqual(['not replaced: changes.csv', 'not replaced: rates.json']);
    for (const warning of progress.warnings!) expect(batchDetails(progress)).toContain(`\n\n\`${warning}\``);
    expect(progressOf(input, started())).not.toHaveProperty('warnings');
  });

  it('is the sum of the last reports, however often and in whatever order they arrive', () => {
    const step = fc.record({ shard: fc.nat(2), share: fc.double({ min: 0, max: 1, noNaN: true }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const ledger = started();
        const most = [0, 0, 0];
        for (const { shard, share } of steps) {
          const rendered = Math.floor(share * shards[shard]!.jobs);
          most[shard] = Math.max(most[shard]!, rendered);
          enterReport(ledger, shards[shard]!, report(shard, rendered));
        }
        const { totals, bySize } = progressOf(input, ledger);
        expect(totals).toMatchObject({ jobs: 35, rendered: most[0]! + most[1]! + most[2]! });
        expect(totals.extraComputations).toBe(totals.rendered);
        expect(bySize).toMatchObject({ 256: { jobs: 30, rendered: most[0]! + most[1]! }, '4k': { jobs: 5 } });
      }),
    );
  });

  it('lists a failure once, the newest first', () => {
    const ledger = started();
    enterReport(ledger, shards[0]!, report(0, 0, 2));
    enterReport(ledger, shards[1]!, report(1, 0, 1));
    enterReport(ledger, shards[0]!, report(0, 0, 3));
    expect(progressOf(input, ledger).recentFailures.map(({ id }) => id)).toEqual(['0-3', '1-1', '0-2', '0-1']);
  });

  it("counts a lost shard's remaining jobs as failed, and a cancelled one's as cancelled", () => {
    const ledger = started();
    enterReport(ledger, shards[0]!, report(0, 4));
    closeShard(ledger, shards[0]!, { lost: 'terminated' });
    enterReport(ledger, shards[1]!, report(1, 3, 1));
    closeShard(ledger, shards[1]!, 'cancelled');
    const { totals, recentFailures } = progressOf(input, ledger);
    expect(totals).toMatchObject({ jobs: 35, rendered: 7, failed: 17, cancelled: 6 });
    expect(recentFailures[0]).toMatchObject({ reason: 'why' });
    expect(recentFailures).toContainEqual({ id: 'shard 0', reason: 'terminated' });
  });
});
