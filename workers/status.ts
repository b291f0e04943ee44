import type { Logger } from 'pino';
import type { ServedBy } from '../connection/worker-connection.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { startHttp } from './http-answers.ts';
import { wantedSurvey } from './wanted-survey.ts';

export type StatusOptions = {
  /** Parts of the worker that have to be ready. */
  parts: number;
  /** Whether it says what work is wanted. */
  counts: boolean;
  server: ServedBy;
  keyring: Keyring | null;
  log: Logger;
};

export type WorkerStatus = {
  /** To be called by each part of the worker when it takes work. */
  ready: () => void;
  stop(): Promise<void>;
};

/**
 * Tells over HTTP how the process is, from now on.
 *
 * @param address without it nobody is told
 * @throws UserError where it cannot listen there
 */
export async function startStatus(
  address: string | undefined,
  { parts, counts, server, keyring, log }: StatusOptions,
): Promise<WorkerStatus> {
  if (address === undefined) return { ready: () => {}, stop: async () => {} };
  let awaited = parts;
  const answers = { isReady: () => awaited === 0, wanted: counts ? wantedSurvey(server, keyring) : null, log };
  const stop = await startHttp(address, answers);
  return {
    ready() {
      awaited -= 1;
    },
    stop,
  };
}
