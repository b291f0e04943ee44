import { existsSync } from 'node:fs';
import { readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { binsOf } from '../../../domain/bins.ts';
import { type Bundle, bundleRef } from '../../../models/pixart/index.ts';
import { freeMemory } from '../../../models/renderer/index.ts';
import { batchMemory, mebibytes } from '../../display/memory-text.ts';
import { type Finding, missing, ok, optional } from './finding.ts';

/** Room for a night of a thousand images, with their contact sheets and checkpoints. */
const LEAST_DISK = 2 ** 30;

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** @param folder need not exist yet */
export async function disk(what: string, folder: string): Promise<Finding> {
  let existing = path.resolve(folder);
  while (!existsSync(existing)) existing = path.dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  const free = bavail * bsize;
  const found = `${gigabytes(free)} free for ${folder}`;
  return free >= LEAST_DISK
    ? ok(what, found)
    : missing(what, found, `at least ${gigabytes(LEAST_DISK)}: make room, or choose another folder`);
}

/** @param bundle its smallest size has to fit */
export async function memory(bundle: Bundle | null): Promise<Finding> {
  const free = await freeMemory();
  if (free === null) return optional('memory', 'unknown on this system');
  const found = `${mebibytes(free.bytes)} free in this ${free.of}`;
  const size = bundle && bundleRef(bundle).sizes[0];
  const needed =
    bundle && size
      ? batchMemory(
          bundle,
          binsOf(size).map((bin) => ({ bin })),
          { isWhole: false },
        )
      : null;
  if (needed === null) return ok('memory', found);
  const told = `${found}; a renderer process needs about ${mebibytes(needed)} at size ${size}`;
  return free.bytes >= needed
    ? ok('memory', told)
    : missing('memory', told, 'stop other programs, or use a larger machine');
}

const PATIENCE_MS = 3_000;
const MINUTE_MS = 60_000;

/** Buckets refuse requests signed with a time 15 minutes off; files from the future mean that the clock was set back. */
export async function clock(store: string, stateFolder: string): Promise<Finding> {
  const now = new Date();
  const found = `${now.toISOString()}, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
  const ahead = await newestIn(stateFolder).then((newest) => newest - now.getTime());
  const off = store.startsWith('gs://') ? await offBy(bucketHost()) : null;
  if (off !== null && Math.abs(off) > MINUTE_MS) {
    return missing(
      'clock',
      `${found}; ${Math.round(off / 1_000)} s ahead of ${bucketHost()}`,
      'enable time synchronisation (NTP)',
    );
  }
  if (ahead > MINUTE_MS) {
    const when = new Date(now.getTime() + ahead).toISOString();
    return missing('clock', `${found}; ${stateFolder} has a file dated ${when}`, 'enable time synchronisation (NTP)');
  }
  return ok('clock', found);
}

const bucketHost = (): string => process.env.STORAGE_EMULATOR_HOST || 'https://storage.googleapis.com';

/** Milliseconds that this clock is ahead of a server's; `null` if the server does not answer. */
async function offBy(url: string): Promise<number | null> {
  try {
    const { headers } = await fetch(url, { method: 'HEAD', signal: AbortSignal.timeout(PATIENCE_MS) });
    const told = Date.parse(headers.get('date') ?? '');
    return Number.isNaN(told) ? null : Date.now() - told;
  } catch {
    return null;
  }
}

async function newestIn(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const times = await Promise.all(names.map(async (name) => (await stat(path.join(folder, name))).mtimeMs));
  return Math.max(0, ...times);
}
