import { Client } from '@temporalio/client';
import { dataConverter } from '../connection/data-converter.ts';
import type { ServedBy } from '../connection/worker-connection.ts';
import type { Keyring } from '../encryption/keyring.ts';
import { type WantedWork, wantedWork } from './wanted-work.ts';

/** A survey up to this old is reused: an autoscaler asks for every queue, one after the other. */
const KEPT_MS = 3_000;

const ANSWER_MS = 5_000;

/** What was wanted some seconds ago at most. Throws ServiceError where the server does not answer in time. */
type WantedSurvey = () => Promise<WantedWork>;

/** Surveys the namespace when it is asked. */
export function wantedSurvey({ connection, namespace }: ServedBy, keyring: Keyring | null): WantedSurvey {
  const client = new Client({ connection, namespace, dataConverter: dataConverter(keyring) });
  let last: { survey: Promise<WantedWork>; goodUntil: number } | null = null;
  return () => {
    if (last !== null && performance.now() < last.goodUntil) return last.survey;
    const survey = client.withDeadline(Date.now() + ANSWER_MS, () => wantedWork(client));
    last = { survey, goodUntil: performance.now() + KEPT_MS };
    return survey;
  };
}
