import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { isAlive } from './steps.mjs';

/** What those who submit to a fleet of this machine should know of it; each process that has one leaves its own note in the state folder. */
const noteSchema = z.object({
  /** The process that keeps the workers. */
  owner: z.int(),
  address: z.string(),
  namespace: z.string(),
  /** What the workers were started with as `--allow`. */
  allow: z.array(z.string()),
});

export type FleetNote = z.infer<typeof noteSchema>;

const NAME = /^fleet-\d+\.json$/;

/** Leaves the note until the function that is returned is called. */
export function noteFleet(stateFolder: string, about: Omit<FleetNote, 'owner'>): () => void {
  for (const [file, { owner }] of notes(stateFolder)) if (!isAlive(owner)) rmSync(file, { force: true });
  const file = join(stateFolder, `fleet-${process.pid}.json`);
  writeFileSync(file, JSON.stringify({ owner: process.pid, ...about } satisfies FleetNote), { mode: 0o600 });
  return () => rmSync(file, { force: true });
}

/** The fleets with this state folder that serve a namespace of the server at an address now. */
export function fleetsFor(
  stateFolder: string,
  { address, namespace }: Pick<FleetNote, 'address' | 'namespace'>,
): FleetNote[] {
  return [...notes(stateFolder).values()].filter(
    (note) => isAlive(note.owner) && note.namespace === namespace && numeric(note.address) === numeric(address),
  );
}

/** Where the fleet with this state folder has its server, if one runs; of several with servers of their own, the one noted first by name. */
export const fleetAddress = (stateFolder: string): string | undefined =>
  [...notes(stateFolder).values()].find(({ owner }) => isAlive(owner))?.address;

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

/** `null` where it is gone by now, or half written. */
function read(file: string): FleetNote | null {
  try {
    return noteSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return null;
  }
}
