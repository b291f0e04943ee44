import type { ObjectStore } from '../store/index.ts';
import { type AuditAsked, type AuditEnded, askedSchema, endedSchema } from './audit.ts';
import { orWarn, parseRecord, type Warn } from './damaged.ts';
import { AUDIT_FOLDER, type AuditLine } from './layout.ts';

/** One action, of both its lines. */
export type AuditEntry = Omit<AuditAsked, 'format'> & {
  /** When the store took the first line, by its own clock: of a bucket nobody else's. */
  storedAt: string;
  /** How it ended; `null` where it still runs, was killed, or the store was away by then. */
  ended: Omit<AuditEnded, 'format'> | null;
};

/** Which lines: those of days from `since` to `until`, both included (UTC, `2026-11-30`), of one batch or schedule where it is named. */
export type AuditQuery = {
  since?: string | undefined;
  until?: string | undefined;
  batch?: string | undefined;
  schedule?: string | undefined;
};

type Names = { asked?: string; ended?: string; storedAt: number };

const READ_AT_ONCE = 16;

/**
 * What was asked of batches in a store, the earliest first.
 *
 * @param warn is told of lines that are damaged, or that have lost the one before them; the others are read all the same
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
    (batch === undefined || entry.batch === batch) && (schedule === undefined || entry.schedule === schedule);
  for await (const names of actionsIn(store, query)) {
    next.push(names);
    if (next.length === READ_AT_ONCE) yield* (await read()).filter(isWanted);
  }
  yield* (await read()).filter(isWanted);
}

/** The names of each action's lines. What is not called as we call it is none of ours. */
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
    warn(`${names.ended} in ${store.url}: expected the line beside it that says who asked for what, found none`);
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
  orWarn(warn, 'an audit line is passed over', async () =>
    parseRecord(await store.read(name), schema, {
      store: store.url,
      name,
      holds: 'who asked for what, or how that ended',
      remedy: 'Lines are never changed by the product: ask who could write there, or restore it.',
    }),
  );
