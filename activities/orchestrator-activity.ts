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
  /** Whether another attempt may succeed though nobody does anything. */
  mayPass?: (error: unknown) => boolean;
  whenCancelled?: WhenCancelled;
  /** Attempts of this activity that this process makes at once; more are refused, and come again a little later. */
  atOnce?: number;
};

/** An activity that takes hours has as many attempts as it may have here: the process's other turns are for other steps. */
class TurnsTaken extends Error {
  override readonly name = 'TurnsTaken';

  constructor(turns: number) {
    super(`${turns} others are at work here; this one begins when one of them has ended`);
  }
}

const ANOTHER_TURN = '10 seconds';

/** A record that is damaged was, as a rule, damaged on its way: of a folder nothing but its content tells that a disk or a cable has erred once. */
const READ_IN_ATTEMPTS = 3;

/**
 * What every activity of the orchestrator has in common: it beats by the clock, so that a worker that died is noticed within its
 * heartbeat timeout, it waits for no store once it is cancelled, and it is tried again only where that may help.
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
 * Before anything is rendered, access that is denied is told at once: somebody has just submitted and is waiting. Another orchestrator may have
 * the key that this one lacks.
 */
export const mayPassForPlan = (error: unknown): boolean =>
  error instanceof StoreUnavailable ||
  error instanceof KeyMissing ||
  (error instanceof Error && isGrpcServiceError(rootOf(error)));

/** A store that denies access is waited for: the images are there, and the fault is often the machine's token service. */
export const mayPassForRecords = (error: unknown): boolean => mayPassForPlan(error) || error instanceof StoreDenied;

/** What a call to the Temporal server fails with wraps what the connection said. */
const rootOf = (error: Error): unknown => (isGrpcServiceError(error) ? error : error.cause);
