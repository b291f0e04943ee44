import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';

/**
 * What happens to one request: it passes, bytes change in both directions or in the answer alone, it is cut off in the
 * middle of its body or of its answer, its connection is reset before it is served, after that, or in the middle of its
 * answer, another answer is given, or none, until the connection ends at a chosen time.
 */
export type Fate =
  | 'passes'
  | 'is damaged'
  | 'answer is damaged'
  | 'is cut off'
  | 'answer is cut off'
  | 'answer is reset'
  | 'is reset'
  | 'answer is lost'
  | { status: number; body: object }
  | { hangsUntil: Promise<unknown> };

/** Enough for the other side to read half an answer. */
const READ_MS = 200;

/** A proxy in front of a server that makes chosen requests fail. */
export type FaultyNetwork = { endpoint: string; seen: string[]; urls: URL[]; stop(): Promise<void> };

/** Decides the fate of a request; `nth` counts from 1 for each label. */
export type DecideFate = (label: string, nth: number, url: URL) => Fate | Promise<Fate>;

/** Starts a proxy for the server at `target`, and for the addresses that the server hands out. */
export async function startFaultyNetwork(target: string, fate: DecideFate): Promise<FaultyNetwork> {
  const seen: string[] = [];
  const urls: URL[] = [];
  const server = createServer(async (incoming, outgoing) => {
    const url = new URL(incoming.url!, target);
    const label = `${incoming.method} ${url.pathname}`;
    seen.push(label);
    urls.push(url);
    const decided = await fate(label, seen.filter((other) => other === label).length, url);
    if (typeof decided === 'object') {
      if ('status' in decided) answer(outgoing, decided.status, decided.body);
      else void decided.hangsUntil.then(() => outgoing.destroy());
    } else if (decided === 'is reset') incoming.socket.resetAndDestroy();
    else void forward(target, incoming, outgoing, decided);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    seen,
    urls,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(outgoing: ServerResponse, status: number, body: object): void {
  outgoing.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

async function forward(target: string, incoming: IncomingMessage, outgoing: ServerResponse, fate: Fate): Promise<void> {
  const body = fate === 'is damaged' ? damaged(await buffer(incoming)) : await buffer(incoming);
  if (fate === 'is cut off') return cutOff(target, incoming, outgoing, body);
  const onward = request(new URL(incoming.url!, target), { method: incoming.method!, headers: incoming.headers });
  onward.on('error', () => outgoing.destroy());
  onward.on('response', async (reply: IncomingMessage) => {
    const content = await buffer(reply);
    const session = reply.headers.location;
    if (session !== undefined) reply.headers.location = session.replace(target, `http://${incoming.headers.host}`);
    if (fate === 'answer is lost') outgoing.destroy();
    else if (fate === 'answer is cut off' || fate === 'answer is reset') {
      const half = content.subarray(0, Math.floor(content.length / 2));
      // A reset drops what the other side has not read yet.
      const reset = () => setTimeout(() => incoming.socket.resetAndDestroy(), READ_MS);
      const end = () => (fate === 'answer is reset' ? reset() : outgoing.destroy());
      outgoing.writeHead(reply.statusCode!, { ...reply.headers, 'content-length': content.length });
      outgoing.write(half, end);
    } else outgoing.writeHead(reply.statusCode!, reply.headers).end(answered(fate, content));
  });
  onward.end(body);
}

const answered = (fate: Fate, content: Buffer): Buffer => {
  if (fate === 'answer is damaged') return withOneBitChanged(content);
  return fate === 'is damaged' ? damaged(content) : content;
};

/** Sends the server half of the body, then drops both connections. */
function cutOff(target: string, incoming: IncomingMessage, outgoing: ServerResponse, body: Buffer): void {
  const onward = request(new URL(incoming.url!, target), { method: incoming.method!, headers: incoming.headers });
  onward.on('error', () => {});
  onward.write(body.subarray(0, Math.floor(body.length / 2)), () => {
    onward.destroy();
    incoming.socket.resetAndDestroy();
    outgoing.destroy();
  });
}

/** Changes a bit in the middle, where there is no length or name. */
export function withOneBitChanged(content: Buffer): Buffer {
  const changed = Buffer.from(content);
  if (changed.length > 0) changed[Math.floor(changed.length / 2)]! ^= 1;
  return changed;
}

/** The word `picture` with one bit changed, wherever it occurs. */
const damaged = (body: Buffer): Buffer =>
  Buffer.from(body.toString('latin1').replaceAll('picture', 'pictuse'), 'latin1');
