import type { ObjectStore } from '../store/index.ts';
import { type AuditAsked, type AuditEnded, askedSchema, endedSchema } from './audit.ts';
import { orWarn, parseRecord, type Warn } from './damaged.ts';
import { AUDIT_FOLDER, type AuditLine } from './layout.ts';

/** One action, from both its lines. */
export type AuditEntry = Omit<AuditAsked, 'format'> & {
  /** When the store received the first line, by the store's own clock; a bucket's cannot be set by its users. */
  storedAt: string;
  /** How it ended; `null` if it is still running, was killed, or could not reach the store at its end. */
  ended: Omit<AuditEnded, 'format'> | null;
};

/**
 * Selects days from `since` to `until`, inclusive (UTC, `2026-11-30`), and one schedule or batch if it is named, with the
 * actions that removed the batch among others.
 */
export type AuditQuery = {
  since?: string | undefined;
  until?: string | undefined;
  batch?: string | undefined;
  schedule?: string | undefined;
};

type Names = { asked?: string; ended?: string; storedAt: number };

const READ_AT_ONCE = 16;

/**
 * Every audited action in a store, oldest first.
 *
 * @param warn called for each line that is damaged or lacks its first line; the others are read all the same
 */
export async function* auditTrail(store: ObjectStore, query: AuditQuery, warn: Warn): AsyncGenerator<AuditEntry> {
  const { batch, schedule } = query;
  let next: Names[] = [];
  const read = async (): Promise<AuditEntry[]> => {
    const entries = await Promise.all(next.map((names) => readEntry(store, names, warn)));
    next = [];
    return entries.filter((entry) => entry !== null);
  };
  const isWanted = (entry: AuditEntry): boolean =>
    (batch === undefined || isAbout(entry, batch)) && (schedule === undefined || entry.schedule === schedule);
  for await (const names of actionsIn(store, query)) {
    next.push(names);
    if (next.length === READ_AT_ONCE) yield* (await read()).filter(isWanted);
  }
  yield* (await read()).filter(isWanted);
}

function isAbout({ batch: named, details, ended }: AuditEntry, batch: string): boolean {
  const removed = `${details?.batches ?? ''} ${ended?.details?.batchNames ?? ''}`;
  return named === batch || removed.split(' ').includes(batch);
}

/** The names of each action's lines. Objects with other names are ignored. */
async function* actionsIn(store: ObjectStore, { since = '', until = '9999' }: AuditQuery): AsyncGenerator<Names> {
  let action = '';
  let names: Names | null = null;
  for await (const { name, writtenAt } of store.list(AUDIT_FOLDER)) {
    const [, day, id, line] = NAME.exec(name) ?? [];
    if (day === undefined || day < since || day > until) continue;
    if (id !== action) {
      if (names !== null) yield names;
      action = id!;
      names = { storedAt: writtenAt };
    }
    names![line as AuditLine] = name;
  }
  if (names !== null) yield names;
}

const NAME = /^audit\/(\d{4}-\d\d-\d\d)\/(\d{8}T\d{9}Z-[0-9a-f]{8})\.(asked|ended)\.json$/;

async function readEntry(store: ObjectStore, names: Names, warn: Warn): Promise<AuditEntry | null> {
  if (names.asked === undefined) {
    warn(`${names.ended} in ${store.url}: expected the line that says who requested what beside it, found none`);
    return null;
  }
  const asked = await readLine(store, names.asked, askedSchema, warn);
  if (asked === null) return null;
  const ended = names.ended === undefined ? null : await readLine(store, names.ended, endedSchema, warn);
  const { format: _, ...rest } = asked;
  return { ...rest, storedAt: new Date(names.storedAt).toISOString(), ended: ended && withoutFormat(ended) };
}

const withoutFormat = ({ format: _, ...ended }: AuditEnded): AuditEntry['ended'] => ended;

const readLine = async <T>(
  store: ObjectStore,
  name: string,
  schema: Parameters<typeof parseRecord<T>>[1],
  warn: Warn,
) =>
  orWarn(warn, 'skipping an audit line', async () =>
    parseRecord(await store.read(name), schema, {
      store: store.url,
      name,
      holds: 'who requested what, or how that ended',
      remedy: 'pixart-batch never changes a line: find out who could write there, or restore it.',
    }),
  );
