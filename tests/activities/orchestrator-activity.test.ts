import { MockActivityEnvironment } from '@temporalio/testing';
import { expect, test } from 'vitest';
import { createOrchestratorActivities } from '../../activities/index.ts';
import { UserError } from '../../domain/user-error.ts';
import { StoreDenied } from '../../store/index.ts';
import type { OrchestratorActivities } from '../../workflows/contract/activities.ts';
import { anywhere } from '../anywhere.ts';
import '../quiet-runtime.ts';

/** What a record's activity and the plan's end with where the store cannot be opened. */
async function failures(error: Error) {
  const openStore = async (): Promise<never> => {
    throw error;
  };
  const { planBatch, readShard } = createOrchestratorActivities({ ...anywhere, openStore });
  const input = { store: 'gs://b', shard: 's' };
  const plan = input as unknown as Parameters<OrchestratorActivities['planBatch']>[0];
  return Promise.all([
    new MockActivityEnvironment().run(planBatch, plan).catch((thrown: unknown) => thrown),
    new MockActivityEnvironment().run(readShard, input).catch((thrown: unknown) => thrown),
  ]);
}

test('a store that denies access ends the planning at once, while records wait until it lets them in', async () => {
  const denied = new StoreDenied('no token');
  const [plan, record] = await failures(denied);
  expect(plan).toMatchObject({ nonRetryable: true, message: 'no token' });
  expect(record).toBe(denied);
});

test('what a person has to put right is final for records too', async () => {
  const [, record] = await failures(new UserError('no store of that name'));
  expect(record).toMatchObject({ nonRetryable: true, type: 'UserError' });
});
