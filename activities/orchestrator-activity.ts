import { Context } from '@temporalio/activity';
import { isGrpcServiceError } from '@temporalio/client';
import { KeyMissing } from '../encryption/keyring.ts';
import { DamagedRecord } from '../records/damaged.ts';
import { type OpenStore, StoreDenied, StoreUnavailable } from '../store/index.ts';
import type { WaitingHeartbeat } from '../workflows/contract/heartbeats.ts';
import { attemptFailure } from './attempt-failure.ts';
import { StoreTurns } from './store-turns.ts';
import { StoreWatch, type WhenCancelled } from './store-watch.ts';

/** The answer to a heartbeat is how a cancellation arrives. */
const HEARTBEAT_MS = 2_000;

type ActivityTraits = {
  /** Whether another attempt may succeed without anyone doing anything. */
  mayPass?: (error: unknown) => boolean;
  whenCancelled?: WhenCancelled;
  /** Attempts of this activity that this process runs at once; others are refused, and retried a little later. */
  atOnce?: number;
};

/** An activity that takes hours has as many attempts as it may have here: the process's other turns are for other steps. */
class TurnsTaken extends Error {
  override readonly name = 'TurnsTaken';

  constructor(turns: number) {
    super(`${turns} activities of this kind are running here; this one starts when one of them ends`);
  }
}

const ANOTHER_TURN = '10 seconds';

/** A damaged record was usually damaged in transit: in a folder, only its content shows that a disk or a cable failed once. */
const READ_IN_ATTEMPTS = 3;

/**
 * What all activities of the orchestrator have in common: they send heartbeats on a timer, so that a dead worker is noticed within
 * the heartbeat timeout; once cancelled, they wait for no store; and they are retried only if that may help.
 */
export function orchestratorActivities(openStore: OpenStore) {
  const turns = new StoreTurns();

  return function orchestratorActivity<A extends unknown[], R>(
    create: (openStore: OpenStore) => (...input: A) => Promise<R>,
    { mayPass = mayPassForRecords, whenCancelled = 'stop', atOnce = Number.POSITIVE_INFINITY }: ActivityTraits = {},
  ): (...input: A) => Promise<R> {
    let atWork = 0;
    return async (...input) => {
      if (atWork >= atOnce) throw attemptFailure(new TurnsTaken(atOnce), () => true, { nextRetryDelay: ANOTHER_TURN });
      atWork += 1;
      const context = Context.current();
      const watch = new StoreWatch(openStore, turns);
      const beat = (): void =>
        context.heartbeat({ waitsFor: watch.silence()?.message ?? null } satisfies WaitingHeartbeat);
      const timer = setInterval(beat, HEARTBEAT_MS);
      try {
        return await watch.run(() => create(watch.open)(...input), context.cancellationSignal, whenCancelled);
      } catch (error) {
        const isReadAgain = error instanceof DamagedRecord && context.info.attempt < READ_IN_ATTEMPTS;
        throw attemptFailure(error, (thrown) => isReadAgain || mayPass(thrown));
      } finally {
        atWork -= 1;
        clearInterval(timer);
      }
    };
  };
}

/**
 * Before anything is rendered, denied access is reported at once, because somebody has just submitted and is waiting. Another
 * orchestrator may have the key that this one lacks.
 */
export const mayPassForPlan = (error: unknown): boolean =>
  error instanceof StoreUnavailable ||
  error instanceof KeyMissing ||
  (error instanceof Error && isGrpcServiceError(rootOf(error)));

/** A store that denies access is waited for: the images are there, and the fault is often the machine's token service. */
export const mayPassForRecords = (error: unknown): boolean => mayPassForPlan(error) || error instanceof StoreDenied;

/** An error of a call to the Temporal server wraps the connection's error. */
const rootOf = (error: Error): unknown => (isGrpcServiceError(error) ? error : error.cause);
