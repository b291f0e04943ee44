import type { Lane } from './model-lane.ts';
import { Station } from './stations.ts';

/** What an image costs, in milliseconds of a processor, or of the database's connection. */
export type Costs = {
  server: number;
  /** Of the one connection that a development server has to its file. */
  store: number;
  /** How often the database is told of a change of the shard's workflow, which has one change at a time. */
  changes: number;
  orchestrator: number;
  /** Of the orchestrator's work, what its busiest thread does: an orchestrator ends where that thread does. */
  thread: number;
  worker: number;
  /** Of each heartbeat. */
  heartbeat: { server: number; store: number; changes: number };
  /** From the end of an activity to the start of the next, beyond what is spent on processors, with nothing else to do. */
  travel: number;
  /** From a shard's last image to the next shard's first. */
  shard: number;
};

/** What serves requests, and what an image costs the orchestrator's station and the database. */
export type Machines = {
  server: Station;
  orchestrator: Station;
  orchestratorMs: number;
  workers: Station;
  database: Database;
};

/** One station for everything, or one for each shard's workflow. */
export type Database = { imageMs: number; heartbeatMs: number; stationOf: (lane: Lane) => Station };

/** The file of a development server, which has one connection to it. */
export function fileDatabase({ store, heartbeat }: Costs): Database {
  const file = new Station(1);
  return { imageMs: store, heartbeatMs: heartbeat.store, stationOf: () => file };
}

/** A database of any size, for which only one workflow's changes wait for each other. */
export const largeDatabase = ({ changes, heartbeat }: Costs, writeMs: number): Database => ({
  imageMs: changes * writeMs,
  heartbeatMs: heartbeat.changes * writeMs,
  stationOf: (lane) => lane.changes,
});

/** More than any fleet needs: workers bring their own processors, and wait for nobody's. */
const UNLIMITED = 1_000;

/** A fleet whose server has some cores, with some orchestrators, each as fast as its busiest thread. */
export const fleetMachines = (
  { thread }: Costs,
  cores: number,
  orchestrators: number,
  database: Database,
): Machines => ({
  server: new Station(cores),
  orchestrator: new Station(orchestrators),
  orchestratorMs: thread,
  workers: new Station(UNLIMITED),
  database,
});

/** One machine with every process of a fleet, as in the measurements. */
export function oneMachine(costs: Costs, cores: number): Machines {
  const processors = new Station(cores);
  return {
    ...{ server: processors, orchestrator: processors, workers: processors },
    orchestratorMs: costs.orchestrator,
    database: fileDatabase(costs),
  };
}
