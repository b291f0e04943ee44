import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gcsRefusal } from './retention-policy.ts';

/** An object in the emulator's JSON. */
type ObjectJson = {
  kind?: string;
  bucket: string;
  name: string;
  generation: string;
  timeCreated?: string;
  updated?: string;
  metageneration?: string;
  metadata?: Record<string, string>;
  items?: ObjectJson[];
};

export type BucketConditions = {
  /** The value for STORAGE_EMULATOR_HOST. */
  endpoint: string;
  /** Makes every object that is there older. */
  age(byMs: number): void;
  stop(): Promise<void>;
};

type Answer = { status: number; headers: IncomingMessage['headers']; body: Buffer };

/** Changes of an object's metadata since it was written, and their result. */
type Changes = { generation: string; count: number; updated: string; metadata: Record<string, string> };

/**
 * A proxy for the emulator (fake-gcs-server 1.56) that adds what it lacks of Cloud Storage: each change of an object's
 * metadata updates its metageneration and time, and deletions and changes honour the generation and metageneration that
 * a request names.
 *
 * @param onDeleted called with the name of each deleted object
 */
export async function startBucketConditions(
  target: string,
  onDeleted: (name: string) => void = () => {},
): Promise<BucketConditions> {
  const changes = new Map<string, Changes>();
  let turn = Promise.resolve();
  let aged = { before: 0, byMs: 0 };

  /** A time as reported: anything from before `aged` is older by the sum. */
  const olderThan = (time: string | undefined): string | undefined =>
    time && Date.parse(time) < aged.before ? new Date(Date.parse(time) - aged.byMs).toISOString() : time;

  const told = (object: ObjectJson): ObjectJson => {
    if (object.items) return { ...object, items: object.items.map(told) };
    if (object.kind !== 'storage#object') return object;
    const change = changes.get(`${object.bucket}/${object.name}`);
    const isChanged = change?.generation === object.generation;
    const updated = olderThan(isChanged ? change.updated : object.updated);
    const timeCreated = olderThan(object.timeCreated);
    return {
      ...object,
      metageneration: String(1 + (isChanged ? change.count : 0)),
      ...(isChanged && { metadata: change.metadata }),
      ...(timeCreated && { timeCreated }),
      ...(updated && { updated }),
    };
  };

  /** Acts on the emulator's object if the conditions are met; refuses otherwise. */
  const conditionally = async (url: URL, act: (object: ObjectJson) => Promise<Answer>): Promise<Answer> => {
    const found = await send(target, { method: 'GET', path: url.pathname });
    if (found.status !== 200) return found;
    const object: ObjectJson = JSON.parse(found.body.toString());
    const { generation, metageneration } = told(object);
    const wants = (name: string, value: unknown) => ![null, String(value)].includes(url.searchParams.get(name));
    if (wants('generation', generation)) return json(404, gcsRefusal(404, 'notFound', 'No such object'));
    const isFailed = wants('ifGenerationMatch', generation) || wants('ifMetagenerationMatch', metageneration);
    return isFailed ? json(412, gcsRefusal(412, 'conditionNotMet', 'A pre-condition did not hold.')) : act(object);
  };

  const change = (url: URL, asked: Asked): Promise<Answer> =>
    conditionally(url, async (object) => {
      const { bucket, name, generation } = object;
      if (asked.method === 'DELETE') {
        const answer = await send(target, asked);
        if (answer.status === 200) onDeleted(name);
        return answer;
      }
      // Metadata is not passed on: an emulator that stores in a folder would give the object another generation.
      const before = changes.get(`${bucket}/${name}`);
      const count = before?.generation === generation ? before.count + 1 : 1;
      const metadata = { ...told(object).metadata, ...JSON.parse(asked.body!.toString()).metadata };
      changes.set(`${bucket}/${name}`, { generation, count, updated: new Date().toISOString(), metadata });
      return json(200, object);
    });

  const handle = async (incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> => {
    const url = new URL(incoming.url!, target);
    const method = incoming.method!;
    const asked = { method, path: incoming.url!, headers: incoming.headers, body: await buffer(incoming) };
    const isChange = /^\/storage\/v1\/b\/[^/]+\/o\/[^/]+$/.test(url.pathname) && ['PATCH', 'DELETE'].includes(method);
    const answering = isChange ? turn.then(() => change(url, asked)) : send(target, asked);
    if (isChange) turn = answering.then(() => {});
    const { status, headers, body } = await answering;
    const session = headers.location;
    if (session !== undefined) headers.location = session.replace(target, `http://${incoming.headers.host}`);
    // The emulator answers a deletion with `null`.
    const isJson = headers['content-type']?.startsWith('application/json') && !url.searchParams.has('alt');
    const object: ObjectJson | null = isJson && body.length > 0 ? JSON.parse(body.toString()) : null;
    const said = object === null ? body : Buffer.from(JSON.stringify(told(object)));
    delete headers['transfer-encoding'];
    outgoing.writeHead(status, { ...headers, 'content-length': said.length }).end(said);
  };

  // A reset would be retried, which would hide a mistake made here.
  const failed = (outgoing: ServerResponse) => (error: unknown) =>
    outgoing.headersSent ? outgoing.destroy() : outgoing.writeHead(400).end(`bucket-conditions.ts failed: ${error}`);
  const server = createServer((incoming, outgoing) => void handle(incoming, outgoing).catch(failed(outgoing)));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    age(byMs) {
      aged = { before: Date.now() + 1, byMs };
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Asked = { method: string; path: string; headers?: IncomingMessage['headers']; body?: Buffer };

function send(target: string, { method, path, headers = {}, body }: Asked): Promise<Answer> {
  const { 'accept-encoding': _, ...kept } = headers;
  return new Promise((resolve, reject) => {
    const onward = request(new URL(path, target), { method, headers: kept });
    onward.on('error', reject);
    onward.on('response', (reply) =>
      buffer(reply).then(
        (content) => resolve({ status: reply.statusCode!, headers: reply.headers, body: content }),
        reject,
      ),
    );
    onward.end(body);
  });
}

const json = (status: number, body: object): Answer => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: Buffer.from(JSON.stringify(body)),
});
