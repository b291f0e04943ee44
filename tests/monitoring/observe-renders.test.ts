import type { Context } from '@temporalio/activity';
import pino from 'pino';
import { expect, test } from 'vitest';
import { StageTimer } from '../../activities/stage-timer.ts';
import { observeRenders } from '../../monitoring/observe-renders.ts';

const context = { info: { attempt: 1, currentAttemptScheduledTimestampMs: 0 } } as Context;
const input = { batch: 'night', shard: 'batches/night/_plan/1-0.jsonl', index: 3 };

/** The arguments that reach the activity. */
async function handedOn(args: unknown[]): Promise<unknown[]> {
  const { inbound } = observeRenders({ log: pino({ level: 'silent' }), metrics: null, tracer: null }, '256')(context);
  let handed: unknown[] = [];
  await inbound!.execute!({ args, headers: {} }, async (next) => {
    handed = next.args;
    return { id: 'fox', outcome: 'rendered' };
  });
  return handed;
}

test('an image’s activity gets a timer after its input', async () => {
  expect(await handedOn([input])).toEqual([input, expect.any(StageTimer)]);
});

test('an argument that a workflow passes after the input is not mistaken for the timer', async () => {
  await expect(handedOn([input, { another: true }])).rejects.toThrow('found 2 arguments');
});
