import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import proto from '@temporalio/proto';
import { Runtime, Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { beforeAll, describe, expect, it } from 'vitest';
import { workflowBundle } from '../../workers/workflow-bundle.ts';
import '../quiet-runtime.ts';

const folder = new URL('../histories/', import.meta.url);
const histories = readdirSync(folder).filter((file) => file.endsWith('.json'));
const read = (file: string) =>
  proto.temporal.api.history.v1.History.fromObject(JSON.parse(readFileSync(new URL(file, folder), 'utf8')));

type History = ReturnType<typeof read>;

const startOf = ({ events }: History) => events[0]!.workflowExecutionStartedEventAttributes!;

/** The error of each replay, by run id. One worker replays all, since starting one for each would take most of the time. */
const problems = new Map<string, Error | undefined>();

beforeAll(async () => {
  const all = histories.map(read).map((history) => ({ workflowId: startOf(history).workflowId!, history }));
  const options = { workflowBundle: await workflowBundle(Runtime.instance().logger) };
  for await (const { runId, error } of Worker.runReplayHistories(options, all)) problems.set(runId, error);
});

describe('a batch that runs while a new version of the workflows is rolled out continues', () => {
  it.each(histories)('%s', (file) => {
    const { originalExecutionRunId: run } = startOf(read(file));
    expect(problems.has(run!)).toBe(true);
    if (problems.get(run!)) throw problems.get(run!);
  });
});

it('a workflow that schedules other activities than before is detected', async () => {
  const workflowsPath = fileURLToPath(new URL('changed-workflows.ts', import.meta.url));
  const history = read('shard-with-failure.v1.json');
  const replay = Worker.runReplayHistory({ workflowsPath }, history, startOf(history).workflowId!);
  await expect(replay).rejects.toBeInstanceOf(DeterminismViolationError);
});
