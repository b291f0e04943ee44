import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { workflowBundle } from '../../workers/workflow-bundle.ts';

Runtime.install({ logger: new DefaultLogger('ERROR') });

const folder = new URL('../histories/', import.meta.url);
const histories = readdirSync(folder).filter((file) => file.endsWith('.json'));
const read = (file: string) =>
  proto.temporal.api.history.v1.History.fromObject(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));

const idOf = (history: ReturnType<typeof read>): string =>
  history.events[0]!.workflowExecutionStartedEventAttributes!.workflowId!;

describe('a batch that runs while a new version of the workflows is rolled out goes on', () => {
  it.each(histories)('%s', async (file) => {
    const history = read(file);
    const options = { workflowBundle: await workflowBundle(Runtime.instance().logger) };
    await Worker.runReplayHistory(options, history, idOf(history));
  });
});

it('a workflow that schedules other activities than it did is found out', async () => {
  const workflowsPath = fileURLToPath(new URL('changed-workflows.ts', import.meta.url));
  const history = read('shard-with-failure.v1.json');
  const replay = Worker.runReplayHistory({ workflowsPath }, history, idOf(history));
  await expect(replay).rejects.toBeInstanceOf(DeterminismViolationError);
});
