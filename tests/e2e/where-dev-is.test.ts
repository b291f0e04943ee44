import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { noteFleet } from '../../infra/dev/fleet-note.ts';
import { rememberServer } from '../../infra/dev/server-memory.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { runHere } from '../cli/run-here.ts';
import { type RunningCommand, startPixartBatch } from './command-line.ts';
import { createWorkplace, type Workplace } from './workplace.ts';

// Each "dev" brings up a server and two workers.
vi.setConfig({ testTimeout: 300_000 });

let place: Workplace;
let squatter: Server | null;

beforeAll(async () => {
  place = await createWorkplace();
  for (const [name, value] of Object.entries(place.environment)) vi.stubEnv(name, value);
  vi.stubEnv('TEMPORAL_ADDRESS', '');
  squatter = createServer();
  // Somebody has the usual port: this test or another program.
  await new Promise<void>((resolve) => {
    squatter?.once('error', () => resolve());
    squatter?.listen(7233, '127.0.0.1', resolve);
  });
});

afterAll(async () => {
  vi.unstubAllEnvs();
  squatter?.close();
  await place.remove();
});

/** Runs "dev" for as long as `use` takes, and gives its address. */
async function whileDevRuns(use: (dev: RunningCommand, address: string) => Promise<void>): Promise<string> {
  const dev = startPixartBatch(['dev', '--size', '256', '--threads', '1'], {
    ...place.environment,
    TEMPORAL_ADDRESS: '',
  });
  try {
    const address = (await dev.said(/Temporal server {2}(\S+)/))[1]!;
    await use(dev, address);
    return address;
  } finally {
    dev.signal('SIGINT');
    await dev.finished;
  }
}

test('"dev" says when it is ready, comes back at its address, and is found there and nowhere else', async () => {
  const address = await whileDevRuns(async (dev, here) => {
    expect(here).not.toBe('127.0.0.1:7233');
    await dev.said(/^ready: renders 256 with .+ on cpu, into .+out$/m);
    expect(await runHere(['list'])).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/^the server knows no batch\..*\n$/),
    });
  });

  const gone = await runHere(['list']);
  expect(gone).toMatchObject({ code: 4, stdout: '' });
  expect(gone.stderr).toContain(`whose server was at ${address}, is not running. Start it with "npx pixart-batch dev"`);

  const again = await whileDevRuns(async (dev) => void (await dev.said(/^ready: /m)));
  expect(again).toBe(address);
});

test('a server that listens where the one of "dev" did is refused, also where a note says that "dev" runs', async () => {
  const other = await startTemporalServer({ ui: false });
  const state = path.join(place.folder, 'killed');
  const list = () => runHere(['list'], { PIXART_STATE: state });
  const refused = {
    code: 4,
    stdout: '',
    stderr: expect.stringContaining(`${other.address}, is not running; another server answers there. Start it with`),
  };
  mkdirSync(state);
  try {
    rememberServer(state, { address: other.address, uiUrl: null, namespaceId: 'of another file' });
    expect(await list()).toMatchObject(refused);
    // The note of a killed "dev" whose process id another program, this one, has by now.
    const about = { address: other.address, namespace: 'default', allow: [] };
    noteFleet(state, { ...about, namespaceId: 'of another file' });
    expect(await list()).toMatchObject(refused);
    noteFleet(state, { ...about, namespaceId: other.namespaceId });
    expect(await list()).toMatchObject({ code: 0 });
  } finally {
    await other.stop();
  }
});

test('the logs of "dev" warn of nothing where nothing is wrong', () => {
  for (const name of ['orchestrator', 'render-worker']) {
    const log = path.join(place.environment.PIXART_STATE!, 'logs', `${name}.log`);
    expect(existsSync(log)).toBe(true);
    const warnings = readFileSync(log, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { level: number })
      .filter(({ level }) => level >= 40);
    expect(warnings).toEqual([]);
  }
});
