import type { Costs } from './costs.ts';
import { type Agenda, Station } from './stations.ts';

/** What serves a fleet's requests. Processes that share a machine share a station. */
export type Machines = {
  server: Station;
  orchestrator: Station;
  orchestratorMs: number;
  workers: Station;
  database: Database;
};

export type WorkKind = 'start' | 'heartbeat' | 'end' | 'task';

/** @param shard for the changes of the shard's workflow */
type Database = (kind: WorkKind, work: { calls: number; changes: number }, shard: Station, then: () => void) => void;

/**
 * The file of a development server, which has one connection to it. Kinds of work take turns: in one queue, every image
 * of a burst would start before the first could end.
 */
function fileDatabase(agenda: Agenda, { callMs }: Costs): Database {
  const connection = new Station(agenda, 1);
  return (kind, { calls }, _, then) => connection.serve(kind, calls * callMs, then);
}

/** A database of any size, in which only the changes of one workflow wait for each other. */
const largeDatabase =
  (writeMs: number): Database =>
  (_, { changes }, shard, then) =>
    shard.serve('server', changes * writeMs, then);

export type FleetMachines = {
  /** Of the server. */
  cores: number;
  /** A development server's file, or a database whose writes take some time. */
  database: 'file' | { writeMs: number };
  orchestrators: number;
};

/** A fleet's server and orchestrators, which are as fast as their busiest thread. Workers have machines of their own. */
export function fleetMachines(
  agenda: Agenda,
  costs: Costs,
  { cores, database, orchestrators }: FleetMachines,
): Machines {
  return {
    server: new Station(agenda, cores),
    orchestrator: new Station(agenda, orchestrators),
    orchestratorMs: costs.thread,
    workers: new Station(agenda, Number.POSITIVE_INFINITY),
    database: database === 'file' ? fileDatabase(agenda, costs) : largeDatabase(database.writeMs),
  };
}

/** One machine with every process of a fleet, as in the measurements. */
export function oneMachine(agenda: Agenda, costs: Costs, cores: number): Machines {
  const all = new Station(agenda, cores);
  return {
    ...{ server: all, orchestrator: all, workers: all },
    orchestratorMs: costs.orchestrator,
    database: fileDatabase(agenda, costs),
  };
}
