import { existsSync } from 'node:fs';
import { readdir, stat, statfs } from 'node:fs/promises';
import path from 'node:path';
import { binsOf } from '../../../domain/bins.ts';
import { type Bundle, bundleRef } from '../../../models/pixart/index.ts';
import { freeMemory } from '../../../models/renderer/index.ts';
import { batchMemory, mebibytes } from '../../display/memory-text.ts';
import { type Finding, missing, ok, optional } from './finding.ts';

/** Room for a night of a thousand pictures, their sheets and what is kept half way. */
const LEAST_DISK = 2 ** 30;

const gigabytes = (bytes: number): string => `${(bytes / 1e9).toFixed(1)} GB`;

/** @param folder which need not be there yet */
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

/** @param bundle whose smallest size has to fit */
export async function memory(bundle: Bundle | null): Promise<Finding> {
  const free = await freeMemory();
  if (free === null) return optional('memory', 'not known on this system');
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
  const told = `${found}; a renderer process takes about ${mebibytes(needed)} at size ${size}`;
  return free.bytes >= needed
    ? ok('memory', told)
    : missing('memory', told, 'end other programs, or take a larger machine');
}

const PATIENCE_MS = 3_000;
const MINUTE_MS = 60_000;

/** Buckets refuse requests that are signed with a time 15 minutes off; files of the future say that a clock was put back. */
export async function clock(store: string, stateFolder: string): Promise<Finding> {
  const now = new Date();
  const found = `${now.toISOString()}, ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
  const ahead = await newestIn(stateFolder).then((newest) => newest - now.getTime());
  const off = store.startsWith('gs://') ? await offBy(bucketHost()) : null;
  if (off !== null && Math.abs(off) > MINUTE_MS) {
    return missing(
      'clock',
      `${found}; ${Math.round(off / 1_000)} s ahead of ${bucketHost()}`,
      'switch on time synchronisation (NTP)',
    );
  }
  if (ahead > MINUTE_MS) {
    const when = new Date(now.getTime() + ahead).toISOString();
    return missing('clock', `${found}; ${stateFolder} has a file of ${when}`, 'switch on time synchronisation (NTP)');
  }
  return ok('clock', found);
}

const bucketHost = (): string => process.env.STORAGE_EMULATOR_HOST || 'https://storage.googleapis.com';

/** Milliseconds that this clock is ahead of a server's; `null` where that does not answer. */
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
