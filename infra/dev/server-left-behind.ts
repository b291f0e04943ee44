import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { endProcess } from './background-process.ts';
import { isAlive } from './steps.mjs';
import { namespaceIdAt } from './temporal-answer.ts';
import type { AnsweringServer, Lease, NotedServer } from './temporal-lease.ts';

const answerTimeoutMs = 60_000;
const stopTimeoutMs = 10_000;

/**
 * The server that still runs on a file although the process that started it is gone. If it does not answer it is
 * killed: a second server on its file would conflict with it. The caller must hold the file's lock.
 */
export async function serverLeftBehind(
  dbFile: string,
  lease: Lease | null,
  patienceMs = answerTimeoutMs,
): Promise<AnsweringServer | null> {
  const server = await serverOn(dbFile, lease);
  if (server === null) return null;
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline && isAlive(server.pid); await sleep(200)) {
    const namespaceId = await namespaceIdAt(server.address, 10_000);
    if (namespaceId !== null && namespaceId === (server.namespaceId ?? namespaceId)) return { ...server, namespaceId };
  }
  await endProcess(server.pid, stopTimeoutMs);
  return null;
}

/** Stops it, if it still runs. */
export async function endServerLeftBehind(dbFile: string, lease: Lease | null): Promise<void> {
  const server = await serverOn(dbFile, lease);
  if (server !== null) await endProcess(server.pid, stopTimeoutMs);
}

/** According to the note or, if that is lost, damaged or out of date, to the command line of its process. */
async function serverOn(dbFile: string, lease: Lease | null): Promise<NotedServer | null> {
  const noted = lease?.server;
  if (noted !== undefined && (await isServerOn(dbFile, noted))) return noted;
  const onFile = `--db-filename ${resolve(dbFile)} `;
  const found = (await commands()).find(({ line }) => line.includes(' server start-dev ') && line.includes(onFile));
  if (found === undefined) return null;
  const option = (name: string) => new RegExp(` --${name} (\\S+) `).exec(found.line)?.[1];
  const {
    ip = '127.0.0.1',
    port = '7233',
    uiPort,
  } = { ip: option('ip'), port: option('port'), uiPort: option('ui-port') };
  return { pid: found.pid, address: `${ip}:${port}`, uiUrl: uiPort === undefined ? null : `http://${ip}:${uiPort}` };
}

/** Another program may have that process id by now. How the file's path was spelled on the command line is unknown. */
export async function isServerOn(dbFile: string, { pid, address }: NotedServer): Promise<boolean> {
  if (!isAlive(pid)) return false;
  const port = address.split(':').at(-1);
  const command = await commandOf(pid);
  return ['server start-dev', `--port ${port} `, basename(dbFile)].every((part) => command.includes(part));
}

/** The command lines of all visible processes; each ends with a space. */
async function commands(): Promise<{ pid: number; line: string }[]> {
  if (process.platform === 'linux') {
    const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
    return Promise.all(pids.map(async (pid) => ({ pid, line: `${await commandOf(pid)} ` })));
  }
  const { stdout } = await promisify(execFile)('ps', ['-axwwo', 'pid=,args='], { maxBuffer: 64 * 2 ** 20 });
  return stdout.split('\n').map((text) => ({ pid: Number.parseInt(text, 10), line: `${text} ` }));
}

/** Its command line, or an empty string if it is gone. Small Linux images have no `ps`. */
async function commandOf(pid: number): Promise<string> {
  try {
    if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
    const env = childEnvironment('program');
    return (await promisify(execFile)('ps', ['-ww', '-o', 'args=', '-p', String(pid)], { env })).stdout;
  } catch {
    return '';
  }
}
