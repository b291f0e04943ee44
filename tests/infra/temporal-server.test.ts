import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { msToTs, tsToMs } from '@temporalio/common/lib/time.js';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { GRPC } from '../../connection/grpc.ts';
import { UserError } from '../../domain/user-error.ts';
import { keepHistories } from '../../infra/dev/history-retention.ts';
import { freePort } from '../../infra/dev/ports.ts';
import { serverLeftBehind } from '../../infra/dev/server-left-behind.ts';
import { isAlive } from '../../infra/dev/steps.mjs';
import { answers } from '../../infra/dev/temporal-answer.ts';
import { dropLease, leaseFile, lockFile, readLease, writeLease } from '../../infra/dev/temporal-lease.ts';
import type { TemporalServerOptions } from '../../infra/dev/temporal-process.ts';
import { findTemporal } from '../../infra/dev/temporal-program.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { startGateway } from '../client/gateway.ts';

let folder: string;
const running: TemporalServer[] = [];
const others: ChildProcess[] = [];

/** No system uses such a process id. */
const DEAD = 2 ** 30;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-temporal-test-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of running.splice(0)) await server.stop();
  for (const child of others.splice(0)) child.kill('SIGKILL');
  await rm(folder, { recursive: true, force: true });
});

async function start(options: TemporalServerOptions): Promise<TemporalServer> {
  const server = await startTemporalServer({ ui: false, ...options });
  running.push(server);
  return server;
}

/** Another program, with these arguments, that exits when asked to. */
function otherProgram(...args: string[]): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', ...args]);
  others.push(child);
  return child.pid!;
}

async function withClient<T>(address: string, use: (client: Client) => Promise<T>): Promise<T> {
  const connection = await Connection.connect({ address });
  try {
    return await use(new Client({ connection }));
  } finally {
    await connection.close();
  }
}

const startWorkflow = (client: Client, workflowId: string) =>
  client.workflow.start('nobodyRunsThis', { taskQueue: 'nobody', workflowId });

test('a workflow that was started before kill -9 is there after a restart on the same file and port', async () => {
  const dbFile = join(folder, 'temporal.db');
  const first = await start({ dbFile });
  await withClient(first.address, (client) => startWorkflow(client, 'kept'));
  process.kill(first.pid, 'SIGKILL');

  const second = await start({ dbFile, port: Number(first.address.split(':')[1]) });

  expect(second.address).toBe(first.address);
  expect(second.role).toBe('started');
  const status = await withClient(second.address, (client) => client.workflow.getHandle('kept').describe());
  expect(status.status.name).toBe('RUNNING');
});

test('the three search attributes of a batch are registered', async () => {
  const server = await start({});
  const attributes = await withClient(server.address, (client) =>
    client.connection.operatorService.listSearchAttributes({ namespace: 'default' }),
  );
  expect(Object.keys(attributes.customAttributes ?? {})).toEqual(
    expect.arrayContaining(['PixartTotal', 'PixartDone', 'PixartFailed']),
  );
});

test('retention is a month, on a file that had a day too, and stays as a person has set it', async () => {
  const dbFile = join(folder, 'temporal.db');
  const days = (address: string, setTo?: number): Promise<number> =>
    withClient(address, async ({ connection }) => {
      const namespace = { namespace: 'default' };
      const retention = (count: number) => ({ workflowExecutionRetentionTtl: msToTs(`${count} days`) });
      if (setTo !== undefined)
        await connection.workflowService.updateNamespace({ ...namespace, config: retention(setTo) });
      const { config } = await connection.workflowService.describeNamespace(namespace);
      return tsToMs(config?.workflowExecutionRetentionTtl) / 86_400_000;
    });
  const restarted = async (server: TemporalServer): Promise<TemporalServer> => {
    await server.stop();
    return start({ dbFile });
  };
  const first = await start({ dbFile });
  expect(await days(first.address)).toBe(30);
  expect(await days(first.address, 1)).toBe(1);
  const second = await restarted(first);
  expect(await days(second.address)).toBe(30);
  expect(await days(second.address, 90)).toBe(90);
  expect(await days((await restarted(second)).address)).toBe(90);
});

test('a server that refuses a longer retention is reported with what it has and what to do', async () => {
  const server = await start({});
  await withClient(server.address, ({ connection }) =>
    connection.workflowService.updateNamespace({
      namespace: 'default',
      config: { workflowExecutionRetentionTtl: msToTs('2 days') },
    }),
  );
  for (const [refused, found] of [
    ['UpdateNamespace', '2 days, and setting it failed (not allowed)'],
    ['DescribeNamespace', 'a server that does not say (not allowed)'],
  ]) {
    const gateway = await startGateway(server.address, (call) =>
      call === refused ? { code: GRPC.PERMISSION_DENIED, details: 'not allowed' } : null,
    );
    try {
      const keeping = keepHistories(gateway.address);
      await expect(keeping).rejects.toThrow(UserError);
      await expect(keeping).rejects.toThrow(
        `the Temporal server at ${gateway.address}: expected it to keep histories for 30 days, found ${found}. `,
      );
    } finally {
      gateway.stop();
    }
  }
});

test('a second start on the same file joins the running server and never stops it', async () => {
  const dbFile = join(folder, 'temporal.db');
  const first = await start({ dbFile });
  const second = await start({ dbFile });

  expect(second).toMatchObject({ role: 'joined', pid: first.pid, address: first.address });
  await second.stop();
  expect(await answers(first.address)).toBe(true);
});

test('a process with a reused id of a server or its starter does not block the file, and is left alone', async () => {
  const dbFile = join(folder, 'temporal.db');
  const pid = otherProgram();
  const { address } = await start({});
  const server = { pid, address, uiUrl: null, namespaceId: 'a' };
  writeLease(dbFile, { owner: pid, lock: 'temporal.db.lock-1-00000000', server });
  expect(await start({ dbFile })).toMatchObject({ role: 'started' });
  expect(isAlive(pid)).toBe(true);
});

test('an abandoned server that does not answer is killed before another one opens its file', async () => {
  const dbFile = join(folder, 'temporal.db');
  const port = await freePort(null);
  const pid = otherProgram('server', 'start-dev', '--port', String(port), '--db-filename', dbFile);
  const server = { pid, address: `127.0.0.1:${port}`, uiUrl: null };
  const lease = { owner: DEAD, lock: 'temporal.db.lock-1-00000000', server };
  expect(await serverLeftBehind(dbFile, lease, 500)).toBeNull();
  expect(isAlive(pid)).toBe(false);
});

test('a server whose note is lost, damaged or out of date is found by its process', async () => {
  const dbFile = join(folder, 'temporal.db');
  const { pid, address, uiUrl, namespaceId } = await start({ dbFile });
  const found = { pid, address, uiUrl, namespaceId };
  expect(await serverLeftBehind(dbFile, null)).toEqual(found);
  const server = { pid: DEAD, address: '127.0.0.1:1', uiUrl: null };
  expect(await serverLeftBehind(dbFile, { owner: DEAD, server })).toEqual(found);
  expect(await serverLeftBehind(`${dbFile}-2`, null)).toBeNull();
});

test('a running process of a version without locks keeps its file; one that was killed does not', async () => {
  const dbFile = join(folder, 'temporal.db');
  writeLease(dbFile, { owner: process.ppid });
  await expect(start({ dbFile })).rejects.toThrow(`in use by process ${process.ppid}, of an earlier version: stop`);
  expect(readLease(dbFile)).toEqual({ owner: process.ppid });
  writeLease(dbFile, { owner: DEAD });
  expect(await start({ dbFile })).toMatchObject({ role: 'started' });
});

test('what a killed upgrade left behind is cleared away: its servers are stopped, and no other program is', async () => {
  const dbFile = join(folder, 'temporal.db');
  const left = await mkdtemp(`${dbFile}.upgrade-`);
  const [oldFile, newFile] = [join(left, 'old.db'), join(left, 'new.db')];
  const { pid, address } = await start({ dbFile: oldFile });
  const unrelated = otherProgram();
  writeLease(newFile, { owner: DEAD, server: { pid: unrelated, address, uiUrl: null } });
  await start({ dbFile });
  expect(isAlive(pid)).toBe(false);
  expect(isAlive(unrelated)).toBe(true);
  expect((await readdir(folder)).filter((name) => name.includes('upgrade'))).toEqual([]);
});

test('a start during an upgrade of the file says so at once; an upgrade that was killed does not block it', async () => {
  const dbFile = join(folder, 'temporal.db');
  const { lock } = await lockFile(dbFile);
  writeLease(dbFile, { owner: process.pid, lock: lock!.name, purpose: 'upgrade' });
  await expect(start({ dbFile })).rejects.toThrow(
    `an upgrade of this state folder is running (process ${process.pid})`,
  );
  // As an exit leaves it: the note is there, and nobody has the lock.
  await lock!.release();
  expect(await start({ dbFile })).toMatchObject({ role: 'started' });
});

test('only the note of its own lock is removed', async () => {
  const dbFile = join(folder, 'temporal.db');
  const server = await start({ dbFile });
  const lease = readLease(dbFile)!;
  dropLease(dbFile, 'temporal.db.lock-1-00000000');
  expect(readLease(dbFile)).toEqual(lease);
  // The folder was recreated in the meantime, with a server on a file of the same name.
  writeLease(dbFile, { ...lease, lock: 'temporal.db.lock-1-00000000' });
  await server.stop();
  expect(readLease(dbFile)).toMatchObject({ lock: 'temporal.db.lock-1-00000000' });
});

test('files of an earlier version that everyone could read are made private', async () => {
  const dbFile = join(folder, 'temporal.db');
  await writeFile(`${dbFile}.server-1.29-20260101T000000Z`, 'kept');
  await chmod(`${dbFile}.server-1.29-20260101T000000Z`, 0o644);
  await start({ dbFile });
  for (const name of await readdir(folder)) {
    // SQLite's journal comes and goes.
    const found = await stat(join(folder, name)).catch(() => null);
    expect([name, (found?.mode ?? 0) & 0o077]).toEqual([name, 0]);
  }
});

test('a given port that is in use is an error that names it', async () => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
  const { port } = other.address() as { port: number };
  try {
    await expect(start({ port })).rejects.toThrow(`port ${port}`);
  } finally {
    other.close();
  }
});

/** The last words of a server that lost a port that it had chosen for one of its parts. */
const crash = `panic: failed assigning ephemeral port: failed to assign a free port: listen tcp 127.0.0.1:0: bind: address already in use

goroutine 1 [running]:
github.com/temporalio/cli/temporalcli/devserver.MustGetFreePort({0x7ffddb691a7f?, 0x144dcc39f2a8?})
\t/temporalcli/devserver/freeport.go:89 +0x73
github.com/temporalio/cli/temporalcli.Execute({0xa82c288?, 0x144dcc39f540?})
\t/temporalcli/commands.go:350 +0x170
main.main()
\t/cmd/temporal/main.go:18 +0x96
`;

/** Puts a program on the PATH before the real one that crashes like that N times, and then starts the real one. */
async function crashesFirst(times: number): Promise<void> {
  const tries = join(folder, 'tries');
  const script = [
    '#!/bin/sh',
    `echo >> '${tries}'`,
    `test "$(wc -l < '${tries}')" -gt ${times} && exec '${findTemporal()}' "$@"`,
    `cat '${join(folder, 'crash')}' >&2`,
    'exit 2',
  ];
  await writeFile(join(folder, 'crash'), crash);
  await writeFile(join(folder, 'temporal'), script.join('\n'), { mode: 0o755 });
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env.PATH}`);
}

test('a server that loses a port to another program while starting is restarted, on a given port too', async () => {
  const port = await freePort(null);
  await crashesFirst(2);
  const server = await start({ port });
  expect(await answers(server.address)).toBe(true);
});

test('the error for a server that never starts has its reason, not its stack trace', async () => {
  await crashesFirst(3);
  const message = await start({}).catch((error: Error) => error.message);
  expect(message).toMatch(/did not start: it ended with 2\npanic: .*address already in use$/);
});

test('the output of an earlier server on the same file is not attributed to the next one', async () => {
  const dbFile = join(folder, 'temporal.db');
  await writeFile(`${dbFile}.log`, crash);
  await writeFile(dbFile, 'no database');
  const message = await start({ dbFile }).catch((error: Error) => error.message);
  expect(message).toMatch(/did not start: .*file is not a database/s);
  expect(message).not.toContain('panic');
});

test('stopping leaves no process and no note behind', async () => {
  const dbFile = join(folder, 'temporal.db');
  const server = await start({ dbFile });
  await server.stop();
  expect(isAlive(server.pid)).toBe(false);
  expect(existsSync(leaseFile(dbFile))).toBe(false);
});
