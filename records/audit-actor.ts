import { hostname, userInfo } from 'node:os';
import { z } from 'zod';
import type { ObjectStore } from '../store/index.ts';

export const actorSchema = z.object({
  /** The operating system account that the process runs as. */
  user: z.string(),
  host: z.string(),
  /** The account used to access the bucket, if the credentials name it: a service account's address. */
  account: z.string().optional(),
});

/**
 * Who does something, according to the operating system. No option or environment variable changes it, so that nobody
 * passes for somebody else by accident. It is not proof: anyone who may write to the store can write any line. For
 * proof of who wrote an object, see the bucket's own audit logs or the file's owner.
 */
type Actor = z.infer<typeof actorSchema>;

export const actorText = ({ user, host }: Actor): string => `${user}@${host}`;

/** This process's actor, with the account that accesses the store. */
export async function actorIn(store: ObjectStore): Promise<Actor> {
  const account = await store.account();
  return { ...thisActor(), ...(account !== null && { account }) };
}

export const thisActor = (): Actor => ({ user: userName(), host: hostname() });

/** A container may run under a uid without an account. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
