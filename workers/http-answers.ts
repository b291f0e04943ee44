import { createServer, type ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { shortDigest } from '../domain/bundle-ref.ts';
import { SIZES } from '../domain/size.ts';
import { UserError } from '../domain/user-error.ts';
import { encodeQueue, largeRenderQueue, renderQueue } from '../workflows/contract/queues.ts';
import type { WantedWork } from './wanted-work.ts';

/** `ready`: all parts of the worker take work, and it was told neither to drain nor to stop. */
export type Condition = 'starting' | 'ready' | 'draining' | 'stopping';

type HttpAnswers = {
  condition: () => Condition;
  /** `null` if the worker has no orchestrator. */
  wanted: (() => Promise<WantedWork>) | null;
  log: Logger;
};

type Answer = { status: number; body: object };

/** From a request's first byte to its last. */
const REQUEST_MS = 10_000;
const CONNECTIONS = 64;

const ANY = '0'.repeat(64);

/** The queues of every size and bundle. */
const QUEUE = new RegExp(
  `^(${[encodeQueue(ANY), ...SIZES.flatMap((size) => [renderQueue(size, ANY), largeRenderQueue(size, ANY)])]
    .join('|')
    .replaceAll(shortDigest(ANY), '[0-9a-f]{12}')})$`,
);

/**
 * Answers Kubernetes' probes at `/health`, and autoscalers at `/wanted` and `/wanted/<queue>`.
 *
 * @param address IP address and port to listen on
 * @returns what ends it
 * @throws UserError where it cannot listen there
 */
export async function startHttp(address: string, answers: HttpAnswers): Promise<() => Promise<void>> {
  const server = createServer(async ({ method, url }, response) => {
    const [path] = url!.split('?');
    reply(response, method === 'GET' ? await answerTo(path!, answers) : refusal(405, `expected GET, found ${method}`));
  });
  server.requestTimeout = REQUEST_MS;
  server.maxConnections = CONNECTIONS;
  const { hostname, port } = new URL(`http://${address}`);
  await new Promise<void>((resolve, reject) => {
    server.once('error', ({ message }) =>
      reject(
        new UserError(`--http-address ${address}: expected an address of this machine with a free port (${message})`),
      ),
    );
    server.listen(Number(port || 80), hostname.replace(/^\[|\]$/g, ''), resolve);
  });
  return () =>
    new Promise((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
}

async function answerTo(path: string, { condition, wanted, log }: HttpAnswers): Promise<Answer> {
  if (path === '/health') return health(condition());
  const asked = /^\/wanted(?:\/([^/]+))?$/.exec(path);
  if (asked === null) return refusal(404, 'expected /health, /wanted or /wanted/<queue>');
  if (wanted === null) return refusal(404, 'expected a worker with --orchestrator, found one without');
  const [, queue] = asked;
  // A queue that can never have work would be answered with 0 forever.
  if (queue !== undefined && !QUEUE.test(queue)) {
    return refusal(404, 'expected a queue such as render-512-0123456789ab or encode-0123456789ab');
  }
  try {
    const counts = await wanted();
    return {
      status: 200,
      body: queue === undefined ? { queues: asObject(counts) } : { wanted: counts.get(queue) ?? 0 },
    };
  } catch (error) {
    log.warn({ err: error }, 'the wanted work could not be counted');
    return refusal(503, 'the Temporal server did not report the wanted work; the reason is in the log');
  }
}

const health = (state: Condition): Answer => ({
  status: state === 'ready' ? 200 : 503,
  body: { ready: state === 'ready', state },
});

const asObject = (counts: WantedWork): Record<string, number> =>
  Object.fromEntries([...counts].toSorted(([a], [b]) => (a < b ? -1 : 1)));

const refusal = (status: number, error: string): Answer => ({ status, body: { error } });

function reply(response: ServerResponse, { status, body }: Answer): void {
  response.setHeader('Cache-Control', 'no-store');
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
