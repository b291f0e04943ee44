import { median } from '../bench/report.ts';
import { SERVER_PARTS } from './fleet-model.ts';
import type { Costs } from './machines.ts';
import type { Point } from './point.ts';

/** A straight line through points, by least squares; flat where all have the same x. */
function lineThrough(points: readonly (readonly [number, number])[]): { at0: number; slope: number } {
  const mean = (numbers: number[]): number => numbers.reduce((sum, number) => sum + number, 0) / numbers.length;
  const [x, y] = [mean(points.map((point) => point[0])), mean(points.map((point) => point[1]))];
  const squares = points.reduce((sum, point) => sum + (point[0] - x) ** 2, 0);
  const slope = points.reduce((sum, point) => sum + (point[0] - x) * (point[1] - y), 0) / (squares || 1);
  return { at0: y - slope * x, slope };
}

/** What an image and a heartbeat cost, from runs that differ in heartbeats; neither is less than nothing. */
function withHeartbeats(points: readonly Point[], of: (point: Point) => number): { image: number; heartbeat: number } {
  const { at0, slope } = lineThrough(points.map((point) => [point.heartbeats, of(point)]));
  if (slope >= 0 && at0 >= 0) return { image: at0, heartbeat: slope };
  return { image: median(points.map(of)), heartbeat: 0 };
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
    orchestrator: median(points.map(({ processorMs }) => processorMs.orchestrator)),
    thread: median(points.map(({ threadMs }) => threadMs)),
    worker: median(points.map(({ processorMs }) => processorMs.workers)),
    travel: Math.max(0, calmest.refillMs.median - worked),
    shard: median(points.map(({ shardPauseMs }) => shardPauseMs)),
  };
}
