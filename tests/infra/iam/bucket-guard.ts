import { type Fate, startFaultyNetwork } from '../../store/faulty-network.ts';
import { gcsRefusal } from '../../store/retention-policy.ts';
import { type Grant, isIn } from './parts.ts';

/** A proxy to the emulator that lets an account do what it was granted, and nothing else. */
export type BucketGuard = {
  /** The value of STORAGE_EMULATOR_HOST for a process of that account. */
  endpoint: string;
  granted: Grant[];
  /**
   * What was refused, once each, until it is granted: permissions and the objects they were needed on, without the
   * store's prefix.
   */
  refused: Map<string, Refused>;
  /** Holds back all answers until the returned function is called. */
  hold(): () => void;
  stop(): Promise<void>;
};

export type Refused = { permission: string; object: string | null };

/** @param prefix of the store in the bucket, with `/` at its end */
export async function startBucketGuard(target: string, account: string, prefix: string): Promise<BucketGuard> {
  const granted: Grant[] = [];
  const refused = new Map<string, Refused>();
  let held = Promise.resolve();
  const exists = async (path: string): Promise<boolean> => (await fetch(target + path)).ok;
  const network = await startFaultyNetwork(target, async (label, _nth, url) => {
    await held;
    for (const { permission, object } of await neededFor(label, url, exists)) {
      const name = object?.startsWith(prefix) ? object.slice(prefix.length) : object;
      if (granted.some((grant) => covers(grant, { permission, object: name }))) continue;
      refused.set(`${permission} ${name}`, { permission, object: name });
      return refusal(account, { permission, object });
    }
    return 'passes';
  });
  const hold = (): (() => void) => {
    let release = (): void => {};
    held = new Promise((resolve) => {
      release = resolve;
    });
    return release;
  };
  return { endpoint: network.endpoint, granted, refused, hold, stop: () => network.stop() };
}

/** Whether a grant would have allowed what was refused. */
export const covers = ({ permission, place }: Grant, { permission: needed, object }: Refused): boolean =>
  permission === needed && (object === null ? place === '*' : isIn(place, object));

/**
 * The permissions that Cloud Storage requires, according to its documentation ("IAM permissions for JSON methods", read
 * 2026-11-30): overwriting an object takes delete as well. Only accounts that may list the bucket learn that an object
 * does not exist; others get a 403.
 */
async function neededFor(label: string, url: URL, exists: (path: string) => Promise<boolean>): Promise<Refused[]> {
  const [method] = label.split(' ');
  const path = url.pathname;
  const on = (verb: string, object: string | null): Refused => ({ permission: `storage.objects.${verb}`, object });
  const [, bucket] = /\/b\/([^/]+)\/o/.exec(path) ?? [];
  const isThere = (name: string) => exists(`/storage/v1/b/${bucket}/o/${encodeURIComponent(name)}`);
  const write = async (name: string): Promise<Refused[]> => [
    on('create', name),
    ...(url.searchParams.get('ifGenerationMatch') !== '0' && (await isThere(name)) ? [on('delete', name)] : []),
  ];

  if (path.startsWith('/upload/')) return method === 'POST' ? write(url.searchParams.get('name')!) : [];
  const [, from, to] = /\/o\/([^/]+)\/(?:rewriteTo|copyTo)\/b\/[^/]+\/o\/([^/]+)$/.exec(path) ?? [];
  if (to !== undefined) return [on('get', decodeURIComponent(from!)), ...(await write(decodeURIComponent(to)))];
  const [, encoded] = /\/o\/([^/]+)$/.exec(path) ?? [];
  if (encoded === undefined) return [on('list', null)];
  const name = decodeURIComponent(encoded);
  if (method === 'DELETE') return [on('delete', name)];
  if (method === 'PATCH') return [on('get', name), on('update', name)];
  return [on('get', name), ...((await isThere(name)) ? [] : [on('list', null)])];
}

/** Cloud Storage's answer, word for word. */
function refusal(account: string, { permission, object }: Refused): Fate {
  const message =
    `${account} does not have ${permission} access to the Google Cloud Storage ${object === null ? 'bucket' : 'object'}. ` +
    `Permission '${permission}' denied on resource (or it may not exist).`;
  return { status: 403, body: gcsRefusal(403, 'forbidden', message) };
}
