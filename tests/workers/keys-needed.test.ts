import { randomUUID } from 'node:crypto';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { temporalTarget } from '../../client/index.ts';
import { closeConnection, connectWorker, type ServedBy } from '../../connection/worker-connection.ts';
import type { Keyring } from '../../encryption/keyring.ts';
import { EncryptionCodec } from '../../encryption/payload-codec.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { checkKeys } from '../../workers/keys-needed.ts';
import { batchWorkflowId } from '../../workflows/contract/queues.ts';
import { keyring } from '../encryption/keys.ts';
import '../quiet-runtime.ts';

const QUEUE = { name: 'nobody' };
const PLAIN = { metadata: { encoding: Buffer.from('json/plain') }, data: Buffer.from('"studio"') };

let temporal: TemporalServer;
let server: ServedBy;
let logged: { msg: string; batch: string; err: { message: string } }[];

const log = pino({ level: 'warn' }, { write: (line) => logged.push(JSON.parse(line)) });

beforeAll(async () => {
  temporal = await startTemporalServer({ ui: false });
  const target = temporalTarget({ address: temporal.address });
  server = { ...target, connection: await connectWorker(target) };
});

afterAll(async () => {
  await closeConnection(server.connection);
  await temporal.stop();
});

beforeEach(() => {
  logged = [];
});

const encrypted = async (keys: Keyring) => (await new EncryptionCodec(keys).encode([PLAIN]))[0]!;

type Fields = Record<string, Awaited<ReturnType<typeof encrypted>>>;

async function running(): Promise<string[]> {
  const { connection, namespace } = server;
  const query = "ExecutionStatus = 'Running'";
  const { executions } = await connection.workflowService.listWorkflowExecutions({ namespace, query });
  return executions.map(({ execution }) => execution!.workflowId!);
}

/** Starts batches that nobody runs, which tell these of themselves, and waits until they are listed. */
async function start(batches: Record<string, Fields>): Promise<void> {
  const { connection, namespace } = server;
  for (const [batch, fields] of Object.entries(batches)) {
    const workflow = { workflowId: batchWorkflowId(batch), workflowType: { name: 'renderBatch' } };
    const request = { namespace, ...workflow, taskQueue: QUEUE, memo: { fields }, requestId: randomUUID() };
    await connection.workflowService.startWorkflowExecution(request);
  }
  const ids = Object.keys(batches).map(batchWorkflowId);
  await expect.poll(running).toEqual(expect.arrayContaining(ids));
}

afterEach(async () => {
  const { connection, namespace } = server;
  for (const workflowId of await running()) {
    await connection.workflowService.terminateWorkflowExecution({ namespace, workflowExecution: { workflowId } });
  }
  await expect.poll(running).toEqual([]);
});

/** Cut short on the way to where it is kept. */
const damaged = async (keys: Keyring) => {
  const payload = await encrypted(keys);
  return { ...payload, data: payload.data!.subarray(0, 4) };
};

test('a worker with the keys of all batches that run has nothing to say', async () => {
  const keys = keyring();
  await start({ plain: { team: PLAIN }, sealed: { team: await encrypted(keys) } });
  await checkKeys(server, keys, log);
  expect(logged).toEqual([]);
});

test('a worker that lacks the key of a batch that runs is told which, with or without keys of its own', async () => {
  const keys = keyring();
  await start({ sealed: { team: await encrypted(keys) } });
  const told = new RegExp(`^running batch sealed: expected encryption key "${keys.current.id}"`);
  await expect(checkKeys(server, keyring(), log)).rejects.toThrow(told);
  await expect(checkKeys(server, null, log)).rejects.toThrow(told);
});

test('a batch whose memo is damaged is warned of, and does not keep workers from the others', async () => {
  const keys = keyring();
  await start({
    broken: { team: await damaged(keys), bundle: await damaged(keys) },
    whole: { team: await encrypted(keys) },
  });
  await checkKeys(server, keys, log);
  expect(logged).toMatchObject([{ batch: 'broken', msg: 'the keys that this batch needs are unknown' }]);
  expect(logged[0]!.err.message).toContain('found 4 bytes that are truncated');
});

test.each<[string, (whole: Fields[string], cutShort: Fields[string]) => Record<string, Fields>]>([
  ['another batch', (whole, cutShort) => ({ broken: { team: cutShort }, whole: { team: whole } })],
  ['what else it tells itself', (whole, cutShort) => ({ whole: { bundle: cutShort, team: whole } })],
])('a batch whose memo is damaged hides no key that is missing: of %s', async (_of, batches) => {
  const keys = keyring();
  await start(batches(await encrypted(keys), await damaged(keys)));
  await expect(checkKeys(server, null, log)).rejects.toThrow('running batch whole: expected encryption key');
});
