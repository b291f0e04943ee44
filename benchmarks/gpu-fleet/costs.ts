import { SERVER_PARTS } from './fleet-model.ts';
import type { Costs } from './machines.ts';
import type { Point } from './point.ts';

type Figure = (point: Point) => number;

/**
 * The mean of runs, weighted by the cores that they used: a busy server answers more images with one task, and it is
 * at the end of what it can do that costs matter.
 */
function mean(points: readonly Point[], of: Figure): number {
  const weight = points.reduce((sum, { cores }) => sum + cores, 0);
  return points.reduce((sum, point) => sum + point.cores * of(point), 0) / weight;
}

/** What an image and a heartbeat cost, by least squares over runs that differ in heartbeats; neither is less than nothing. */
function withHeartbeats(points: readonly Point[], of: Figure): { image: number; heartbeat: number } {
  const [beats, cost] = [mean(points, ({ heartbeats }) => heartbeats), mean(points, of)];
  const squares = mean(points, ({ heartbeats }) => (heartbeats - beats) ** 2);
  const slope = squares === 0 ? 0 : mean(points, (point) => (point.heartbeats - beats) * (of(point) - cost)) / squares;
  const heartbeat = Math.min(Math.max(0, slope), beats === 0 ? 0 : cost / beats);
  return { image: cost - heartbeat * beats, heartbeat };
}

/**
 * The model's inputs: processor time from all runs, waits from the one with the least load. How many images a second
 * were made is not among them, so that it can be compared with what the model says.
 */
export function costsOf(points: readonly Point[]): Costs {
  const calmest = points.toSorted((a, b) => a.cores - b.cores)[0]!;
  const server = withHeartbeats(points, ({ processorMs }) => processorMs.server);
  // A call's time in the database, where the fewest others wait for its connection.
  const callMs = Math.min(...points.map(({ storeMs, storeCalls }) => storeMs / storeCalls));
  const store = withHeartbeats(points, ({ storeCalls }) => storeCalls * callMs);
  const changes = withHeartbeats(points, ({ updates }) => updates);
  const worked = (SERVER_PARTS.end + SERVER_PARTS.start) * (server.image + store.image);
  return {
    server: server.image,
    store: store.image,
    changes: changes.image,
    heartbeat: { server: server.heartbeat, store: store.heartbeat, changes: changes.heartbeat },
    orchestrator: mean(points, ({ processorMs }) => processorMs.orchestrator),
    thread: mean(points, ({ threadMs }) => threadMs),
    worker: mean(points, ({ processorMs }) => processorMs.workers),
    travel: Math.max(0, calmest.refillMs.median - worked),
    shard: mean(points, ({ shardPauseMs }) => shardPauseMs),
  };
}
