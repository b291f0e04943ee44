import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { followBatch, watchToTheEnd } from '../../../cli/display/follow-batch.ts';
import { answerOf } from '../../../cli/display/silent-server.ts';
import { EXIT, exitCodeOf } from '../../../cli/exit-codes.ts';
import { type BatchClient, connect, temporalTarget } from '../../../client/index.ts';
import { startTemporalServer, type TemporalServer } from '../../../infra/dev/temporal-server.ts';
import { batchWorkflowId } from '../../../workflows/contract/queues.ts';

// The server waits ten seconds for a query that nobody answers.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const BATCH = 'night';
const options = { json: true, signal: new AbortController().signal };

let folder: string;
let server: TemporalServer;
let client: BatchClient;
let said: string;

const start = (port?: number): Promise<TemporalServer> =>
  startTemporalServer({ ui: false, dbFile: path.join(folder, 'temporal.db'), ...(port && { port }) });

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-follow-'));
  server = await start();
  client = await connect(temporalTarget({ address: server.address }));
  await client.temporal.workflow.start('renderBatch', { taskQueue: 'nobody', workflowId: batchWorkflowId(BATCH) });
  said = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    said += text;
    return true;
  });
});

afterEach(async () => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  for (const listener of process.listeners('SIGINT')) process.off('SIGINT', listener);
  // The connection stays open, as that of a command does: see cli/with-client.ts.
  await server.stop();
  await rm(folder, { recursive: true, force: true });
});

const untilSaid = (text: string) => expect.poll(() => said, { timeout: 60_000 }).toContain(text);

test('watching waits for a server that is killed and restarted, and follows the batch to its end', async () => {
  process.kill(server.pid, 'SIGKILL');
  const end = followBatch(client, BATCH, options);
  await untilSaid(`the Temporal server at ${server.address} does not answer at the moment`);
  server = await start(Number(server.address.split(':')[1]));
  await client.temporal.workflow.getHandle(batchWorkflowId(BATCH)).terminate('by the test');
  expect(await end).toEqual({ state: 'failed', reason: 'by the test' });
  expect(said.match(/does not answer/g)).toHaveLength(1);
});

test('if the server does not come back, watching ends with exit code 4 and the command to watch again', async () => {
  process.kill(server.pid, 'SIGKILL');
  vi.useFakeTimers({ toFake: ['performance'] });
  const end = followBatch(client, BATCH, options).catch((error: unknown) => error);
  await untilSaid('does not answer at the moment');
  vi.advanceTimersByTime(3_600_000);
  const error = await end;
  expect(exitCodeOf(error)).toBe(EXIT.unreachable);
  expect(String(error)).toContain('npx pixart-batch watch night');
});

test('Ctrl-C while the server is away returns at once, and says what the batch is waiting for', async () => {
  process.kill(server.pid, 'SIGKILL');
  const end = watchToTheEnd(client, BATCH, true);
  await untilSaid('does not answer at the moment');
  // No call has been abandoned by then: the first one keeps trying for longer.
  process.emit('SIGINT');
  expect(await end).toBe(EXIT.interrupted);
  expect(said).toContain(`batch night is waiting for the Temporal server at ${server.address}, which does not answer.`);
  expect(said).toContain('npx pixart-batch watch night');
});

test('Ctrl-C says that the batch continues', async () => {
  const end = watchToTheEnd(client, BATCH, true);
  process.emit('SIGINT');
  expect(await end).toBe(EXIT.interrupted);
  expect(said).toContain('batch night continues without you.');
});

test('the many calls for a batch with many shards cause no warning from Node', async () => {
  const warned = vi.fn();
  process.on('warning', warned);
  const handle = client.temporal.workflow.getHandle(batchWorkflowId(BATCH));
  const many = () => Promise.all(Array.from({ length: 12 }, () => handle.describe()));
  expect(await answerOf(client, options.signal, many)).toHaveLength(12);
  await setImmediate();
  process.off('warning', warned);
  expect(warned).not.toHaveBeenCalled();
});
