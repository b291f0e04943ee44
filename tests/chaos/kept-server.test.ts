import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { isAlive } from '../../infra/dev/steps.mjs';
import { readLease } from '../../infra/dev/temporal-lease.ts';

vi.setConfig({ testTimeout: 180_000 });
const WITHIN = { timeout: 60_000, interval: 100 };

const program = fileURLToPath(new URL('keep-server.ts', import.meta.url));

type Line = { address?: string; joined?: number | null; told?: string; gaveUp?: string; failed?: string };

/** A process that keeps the server on the file, as `dev` does. */
class Keeper {
  readonly lines: Line[] = [];
  readonly process: ChildProcess;

  constructor() {
    this.process = spawn(process.execPath, ['--import', 'tsx', program, dbFile], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.process.stdout! }).on('line', (line) => this.lines.push(JSON.parse(line)));
  }

  get pid(): number {
    return this.process.pid!;
  }

  /** Waits for a line that has this. */
  async said(pattern: RegExp): Promise<Line> {
    return vi.waitFor(() => {
      const found = this.lines.find((line) => pattern.test(JSON.stringify(line)));
      if (found === undefined) throw new Error(`no ${pattern} in ${JSON.stringify(this.lines)}`);
      return found;
    }, WITHIN);
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    this.process.kill(signal);
    if (this.process.exitCode === null && this.process.signalCode === null) await once(this.process, 'exit');
  }
}

let folder: string;
let dbFile: string;
const keepers: Keeper[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pixart-kept-'));
  dbFile = join(folder, 'temporal.db');
});

afterEach(async () => {
  for (const keeper of keepers.splice(0)) await keeper.end('SIGKILL');
  for (const pid of await serversOnFile()) process.kill(pid, 'SIGKILL');
  await rm(folder, { recursive: true });
});

function keep(): Keeper {
  const keeper = new Keeper();
  keepers.push(keeper);
  return keeper;
}

/** The processes that have the file open as their database, regardless of who started them. */
async function serversOnFile(): Promise<number[]> {
  const isOurs = (command: string) => command.includes('start-dev') && command.includes(dbFile);
  if (process.platform !== 'linux') {
    const listed = execFileSync('ps', ['-axww', '-o', 'pid=,args=']).toString().split('\n');
    return listed.filter(isOurs).map((line) => Number.parseInt(line, 10));
  }
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const commands = await Promise.all(pids.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')));
  return pids.filter((_, i) => isOurs(commands[i]!)).map(Number);
}

test('two that start after a kill -9 share one server; when the first ends, the second restarts it at the same address, and so on', async () => {
  const killed = keep();
  const { address } = await killed.said(/address/);
  const [left] = await serversOnFile();
  await killed.end('SIGKILL');

  const [one, other] = [keep(), keep()];
  const lines = await Promise.all([one.said(/address/), other.said(/address/)]);
  expect(lines.map((line) => line.address)).toEqual([address, address]);
  expect(await serversOnFile()).toEqual([left]);
  const [first, second] = lines[0]?.joined === null ? [one, other] : [other, one];
  expect(await second.said(/address/)).toEqual({ address, joined: first.pid });

  await first.end('SIGTERM');
  await second.said(new RegExp(`process ${first.pid}, which ran the Temporal server at ${address}, has ended`));
  await second.said(/this process started the Temporal server at .*; from now on Ctrl-C stops it too/);
  expect(isAlive(left!)).toBe(false);
  const [third, fourth] = [keep(), keep()];
  for (const later of [third, fourth]) expect(await later.said(/address/)).toEqual({ address, joined: second.pid });
  await second.end('SIGKILL');
  // Under load a server may have lost a port of its own, and been started again by the second.
  const change = new RegExp(`took over|process (?!${second.pid} )\\d+ now runs the`);
  const news = await Promise.all([third.said(change), fourth.said(change)]);
  expect(news.map(({ told }) => told).sort()).toEqual([
    expect.stringMatching(/^process \d+ now runs the Temporal server at/),
    expect.stringMatching(/^this process took over the Temporal server at/),
  ]);
  expect(await serversOnFile()).toHaveLength(1);

  await Promise.all([third.end('SIGTERM'), fourth.end('SIGTERM')]);
  expect(await serversOnFile()).toEqual([]);
  expect((await readdir(folder)).filter((name) => /lock|server\.json/.test(name))).toEqual([]);
});

test('a server that is killed is started again at its address, and it is said at once', async () => {
  const keeper = keep();
  const { address } = await keeper.said(/address/);
  const [before] = await serversOnFile();
  process.kill(before!, 'SIGKILL');
  await keeper.said(/is gone \(it ended with SIGKILL\); restarting it/);
  await keeper.said(/this process started the Temporal server/);
  expect(await serversOnFile()).toHaveLength(1);
  expect(readLease(dbFile)).toMatchObject({ owner: keeper.pid, server: { address } });

  // Somebody is quicker than we are.
  keeper.process.kill('SIGSTOP');
  const [again] = await serversOnFile();
  process.kill(again!, 'SIGKILL');
  const squatter = createServer();
  await vi.waitFor(
    () =>
      new Promise<void>((resolve, reject) => {
        squatter.once('error', reject).listen(Number(address?.split(':')[1]), '127.0.0.1', resolve);
      }),
    WITHIN,
  );
  keeper.process.kill('SIGCONT');
  const { gaveUp } = await keeper.said(/gaveUp/);
  expect(gaveUp).toMatch(/the Temporal server is gone and could not be restarted: port \d+: address already in use/);
  squatter.close();
});

test('a server whose starter was killed before it answered is found and taken over', async () => {
  const killed = keep();
  await vi.waitFor(() => expect(readLease(dbFile)?.server).toBeDefined(), { ...WITHIN, interval: 5 });
  await killed.end('SIGKILL');
  const left = await serversOnFile();
  expect(left).toHaveLength(1);

  const next = keep();
  expect(await next.said(/address/)).toMatchObject({ joined: null });
  expect(await serversOnFile()).toEqual(left);
  await next.end('SIGTERM');
  expect(await serversOnFile()).toEqual([]);
});
