import { hostname, userInfo } from 'node:os';
import { z } from 'zod';
import type { ObjectStore } from '../store/index.ts';

export const actorSchema = z.object({
  /** The account of the operating system that the process runs as. */
  user: z.string(),
  host: z.string(),
  /** The account that a bucket was asked with, where the credentials name it: a service account's address. */
  account: z.string().optional(),
});

/**
 * Who is doing this, as the operating system has it. Neither an option nor the environment changes it, so that nobody passes for somebody
 * else by accident. It is no proof: whoever may write to the store can write any line. Who wrote the object is in the bucket's own
 * audit logs, or is the owner of the file.
 */
export type Actor = z.infer<typeof actorSchema>;

export const actorText = ({ user, host }: Actor): string => `${user}@${host}`;

/** The same, as a store knows it. */
export async function actorIn(store: ObjectStore): Promise<Actor> {
  const account = await store.account();
  return { ...thisActor(), ...(account !== null && { account }) };
}

export const thisActor = (): Actor => ({ user: userName(), host: hostname() });

/** A container may run as a number that no account has. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}`;
  }
}
