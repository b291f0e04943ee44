import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive } from './steps.mjs';

/**
 * What a submitter needs to know about a fleet on this machine; each process that runs one writes its own note to the
 * state folder.
 */
const noteSchema = z.object({
  /** The process that runs the workers. */
  owner: z.int(),
  address: z.string(),
  namespace: z.string(),
  /** Distinguishes the server from any other that may answer there later; absent for one that was named by its address. */
  namespaceId: z.string().optional(),
  /** What the workers were started with as `--allow`. */
  allow: z.array(z.string()),
});

export type FleetNote = z.infer<typeof noteSchema>;

const NAME = /^fleet-\d+\.json$/;

/** Writes the note; call the returned function to remove it. */
export function noteFleet(stateFolder: string, about: Omit<FleetNote, 'owner'>): () => void {
  for (const [file, { owner }] of notes(stateFolder)) if (!isAlive(owner)) rmSync(file, { force: true });
  const file = join(stateFolder, `fleet-${process.pid}.json`);
  writeFileSync(file, JSON.stringify({ owner: process.pid, ...about } satisfies FleetNote), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** The running fleets of this state folder that serve this namespace of the server at this address. */
export function fleetsFor(
  stateFolder: string,
  { address, namespace }: Pick<FleetNote, 'address' | 'namespace'>,
): FleetNote[] {
  return [...notes(stateFolder).values()].filter(
    (note) => isAlive(note.owner) && note.namespace === namespace && numeric(note.address) === numeric(address),
  );
}

/** The running fleet with this state folder, if there is one; of several, the one whose note comes first by name. */
export const runningFleet = (stateFolder: string): FleetNote | undefined =>
  [...notes(stateFolder).values()].find(({ owner }) => isAlive(owner));

const numeric = (address: string): string => address.replace(/^localhost:/, '127.0.0.1:');

function notes(stateFolder: string): Map<string, FleetNote> {
  const found = new Map<string, FleetNote>();
  for (const name of names(stateFolder)) {
    const file = join(stateFolder, name);
    const note = read(file);
    if (note !== null) found.set(file, note);
  }
  return found;
}

function names(stateFolder: string): string[] {
  try {
    return readdirSync(stateFolder).filter((name) => NAME.test(name));
  } catch {
    return [];
  }
}

/** `null` if it has been removed or is half written. */
function read(file: string): FleetNote | null {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
