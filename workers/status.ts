import type { Logger } from 'pino';
import type { ServedBy } from '../connection/worker-connection.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { type Condition, startHttp } from './http-answers.ts';
import { DRAIN_SIGNAL, STOP_SIGNALS } from './stopping.ts';
import { wantedSurvey } from './wanted-survey.ts';

type StatusOptions = {
  /** Parts of the worker that have to be ready. */
  parts: number;
  /** Whether it says what work is wanted. */
  counts: boolean;
  server: ServedBy;
  keyring: Keyring | null;
  log: Logger;
};

type WorkerStatus = {
  /** To be called by each part of the worker when it takes work. */
  ready: () => void;
  stop(): Promise<void>;
};

/**
 * Reports over HTTP whether the process is ready: not before all its parts are, nor once it was told to stop or to drain.
 *
 * @param address without it, nothing is served
 * @throws UserError where it cannot listen there
 */
export async function startStatus(
  address: string | undefined,
  { parts, counts, server, keyring, log }: StatusOptions,
): Promise<WorkerStatus> {
  if (address === undefined) return { ready: () => {}, stop: async () => {} };
  let awaited = parts;
  let told: 'draining' | 'stopping' | null = null;
  const draining = (): void => {
    told ??= 'draining';
  };
  const stopping = (): void => {
    told = 'stopping';
    // A second signal is not handled: it has to end a process that hangs.
    ignore();
  };
  const ignore = (): void => {
    for (const name of STOP_SIGNALS) process.off(name, stopping);
    process.off(DRAIN_SIGNAL, draining);
  };
  for (const name of STOP_SIGNALS) process.on(name, stopping);
  process.on(DRAIN_SIGNAL, draining);
  const condition = (): Condition => told ?? (awaited === 0 ? 'ready' : 'starting');
  const close = await startHttp(address, { condition, wanted: counts ? wantedSurvey(server, keyring) : null, log });
  return {
    ready() {
      awaited -= 1;
    },
    stop() {
      ignore();
      return close();
    },
  };
}
