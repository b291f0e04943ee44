import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { UserError } from '../domain/user-error.ts';
import { isRefusal, type ObjectStore } from '../store/index.ts';
import { actorIn, actorSchema } from './audit-actor.ts';
import { auditName } from './layout.ts';

export type AuditAction =
  | 'submit'
  | 'retry'
  | 'pause'
  | 'resume'
  | 'window'
  | 'priority'
  | 'cancel'
  | 'cancel-size'
  | 'cancel-rows'
  | 'schedule-create'
  | 'schedule-update'
  | 'schedule-delete'
  | 'schedule-pause'
  | 'schedule-resume'
  | 'schedule-trigger'
  | 'schedule-backfill'
  | 'schedule-import'
  | 'repair'
  | 'clean'
  | 'forget';

const detailsSchema = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

/** Choices and counts. Never a word of a prompt, a filter's values, a webhook's address or anything secret. */
export type AuditDetails = z.infer<typeof detailsSchema>;

const subjectSchema = z.object({
  batch: z.string().optional(),
  schedule: z.string().optional(),
  details: detailsSchema.optional(),
});

/** What is about to be done. */
export type AuditedAction = z.infer<typeof subjectSchema> & { action: AuditAction };

/** Fields that a later version adds are ignored. */
export const askedSchema = subjectSchema.extend({
  format: z.literal(1),
  /** ISO 8601, by the clock of the process that requests the action. */
  at: z.iso.datetime(),
  who: actorSchema,
  /** Any text, since a later version may have other actions. */
  action: z.string(),
});

export type AuditAsked = z.infer<typeof askedSchema>;

export const endedSchema = z.object({
  format: z.literal(1),
  at: z.iso.datetime(),
  /** `refused` if a person has to fix something, else `failed`. */
  outcome: z.enum(['done', 'refused', 'failed']),
  /** The error's class, not its message, which may quote a catalog. */
  error: z.string().optional(),
  details: detailsSchema.optional(),
});

export type AuditEnded = z.infer<typeof endedSchema>;

/** Adds to the second line what is known only once the action is done. */
export type TellAudit = (details: AuditDetails) => void;

/**
 * Runs an action that has to leave a trace: it writes one line to the store before the action and another after it.
 * Lines are created, never replaced. An action without a second line was killed, or lost its store.
 *
 * @throws UserError or StoreUnavailable if the first line cannot be written; the action does not run then
 * @throws whatever `act` throws
 */
export async function audited<T>(
  store: ObjectStore,
  action: AuditedAction,
  act: (tell: TellAudit) => Promise<T>,
): Promise<T> {
  const end = await beginAudit(store, action);
  return endAudited(end, act);
}

/** Writes how it ended. */
export type EndAudit = (ended: Omit<AuditEnded, 'format' | 'at'>) => Promise<void>;

/** Writes the first line. @throws UserError or StoreUnavailable if the store does not accept it */
export async function beginAudit(store: ObjectStore, action: AuditedAction): Promise<EndAudit> {
  const at = new Date();
  const asked: AuditAsked = { format: 1, at: at.toISOString(), who: await actorIn(store), ...action };
  let nonce: string;
  do nonce = randomBytes(4).toString('hex');
  while (!(await write(store, auditName(at, nonce, 'asked'), asked)));
  return async (ended) => {
    await write(store, auditName(at, nonce, 'ended'), { format: 1, at: new Date().toISOString(), ...ended });
  };
}

/** Runs the action and writes how it ended. */
export async function endAudited<T>(end: EndAudit, act: (tell: TellAudit) => Promise<T>): Promise<T> {
  const details: AuditDetails = {};
  const ended = (outcome: AuditEnded['outcome'], error?: string) =>
    unlessRefused(end({ outcome, ...(error && { error }), ...(Object.keys(details).length > 0 && { details }) }));
  const result = await act((more) => void Object.assign(details, more)).catch(async (error: unknown) => {
    await ended(error instanceof UserError ? 'refused' : 'failed', nameOf(error));
    throw error;
  });
  await ended('done');
  return result;
}

/** The action is done, or has failed, whether or not that can be written. */
const unlessRefused = (writing: Promise<void>): Promise<void> =>
  writing.catch((error) => {
    if (!isRefusal(error)) throw error;
  });

async function write(store: ObjectStore, name: string, line: AuditAsked | AuditEnded): Promise<boolean> {
  const { created } = await store.create(name, Buffer.from(`${JSON.stringify(line)}\n`), 'application/json');
  return created;
}

const nameOf = (error: unknown): string => (error instanceof Error ? error.constructor.name : typeof error);
