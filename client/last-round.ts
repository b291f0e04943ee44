import { type BundleRef, shortDigest } from '../domain/bundle-ref.ts';
import { UserError } from '../domain/user-error.ts';
import { rawValue } from '../encryption/raw-payloads.ts';
import { planFolder } from '../records/layout.ts';
import { findManifestHead, type ManifestHead } from '../records/manifest.ts';
import { type RoundRecord, type Rounds, roundsOf } from '../records/rounds.ts';
import { type ObjectStore, openStore, shownPlace, storeUrl } from '../store/index.ts';
import type { BatchInput, CatalogSource } from '../workflows/contract/batch.ts';
import { batchWorkflowId } from '../workflows/contract/queues.ts';
import { firstSource } from '../workflows/contract/round.ts';
import { aboutBatch, type BatchListing, findBatch, stillRuns, unknownBatch } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { checkPlannedWith, planPremises } from './plan-premises.ts';
import { batchProgress } from './progress.ts';

/** What the next round of a batch continues from. */
export type LastRound = {
  store: ObjectStore;
  /** The input of its last round, with that round's number. */
  input: BatchInput & { source: Extract<CatalogSource, { kind: 'retry' }> };
  /**
   * The source of this: the server, the round's record in the store, or, if an earlier version kept none, the plan with
   * default settings.
   */
  from: 'server' | 'record' | 'plan';
  /** It called, or may have called, a webhook whose address is no longer known. */
  isWebhookLost: boolean;
  /** The head of the batch's manifest. */
  manifest: ManifestHead | null;
};

/** Where to look for a batch, and its bundle, in case neither the server nor the store knows. */
type Whereabouts = { store?: string | undefined; bundle?: BundleRef | undefined };

/**
 * Finds the last round of an ended batch: on the server, which forgets after a while, and in the store.
 *
 * @throws BatchUnknown if the server does not know the batch and no store is named
 * @throws UserError if it is still running, has no complete plan, or its bundle is unknown
 */
export async function lastRound(client: BatchClient, batch: string, where: Whereabouts): Promise<LastRound> {
  const known = await findBatch(client, batch);
  if (known?.endedAt === null) throw stillRuns(batch);
  const url = where.store === undefined ? known?.store : storeUrl(where.store);
  if (url === undefined) throw await unknownBatch(client, batch);
  const store = await openStore(url);
  const manifest = await findManifestHead(store, batch);
  const rounds = withManifest(await roundsOf(store, batch), manifest);
  const told = known !== null && isSameStore(known.store, url) ? known : null;
  if (rounds.firstPiece === null) throw await noPlan(client, batch, store, told, manifest);
  await checkPlanIsWhole(client, batch, rounds, told, manifest);
  const remembered = told === null ? null : await lastInput(client, batch);
  const { input, from } = await settled(store, batch, rounds, remembered, where);
  checkSameBundle(batch, input.bundle, where.bundle);
  await checkPlannedWith(store, rounds.firstPiece, input.bundle);
  const hadWebhook = from === 'plan' || (from === 'record' && rounds.record!.hasWebhook);
  return { store, input, from, isWebhookLost: hadWebhook && input.webhook === undefined, manifest };
}

/** A trailing slash makes no difference. */
export const isSameStore = (one: string, other: string): boolean =>
  one.replace(/\/+$/, '') === other.replace(/\/+$/, '');

/** In earlier versions, a round with nothing to render left only its manifest. */
const withManifest = (rounds: Rounds, manifest: ManifestHead | null): Rounds => ({
  ...rounds,
  last: Math.max(rounds.last, manifest?.round ?? 0),
});

function checkSameBundle(batch: string, { name, digest }: BundleRef, asked?: BundleRef): void {
  if (asked === undefined || asked.digest === digest) return;
  throw new UserError(
    `batch ${batch}: expected the bundle that it was planned with, ${name} (${shortDigest(digest)}), found ${asked.name} ` +
      `(${shortDigest(asked.digest)}): leave it out, or submit the catalog as another batch`,
  );
}

/** The server knows most, unless a later round was started on another server. */
async function settled(
  store: ObjectStore,
  batch: string,
  { last, record, firstPiece }: Rounds,
  remembered: BatchInput | null,
  { bundle }: Whereabouts,
): Promise<Pick<LastRound, 'input' | 'from'>> {
  const head = { batch, store: store.url };
  if (remembered !== null && remembered.round >= (record?.round ?? 0)) {
    const source = { kind: 'retry' as const, ...firstSource(remembered.source) };
    return { input: { ...remembered, round: Math.max(last, remembered.round), source }, from: 'server' };
  }
  if (record !== null) {
    const input = { ...head, ...ofRecord(record), round: last, webhook: remembered?.webhook };
    return { input, from: 'record' };
  }
  const premises = await planPremises(store, batch, firstPiece!, bundle);
  return { input: { ...head, ...premises, round: last, source: { kind: 'retry' } }, from: 'plan' };
}

function ofRecord({ settings: { catalog, reading, ...settings } }: RoundRecord) {
  const source = {
    kind: 'retry' as const,
    ...(catalog !== undefined && { catalog }),
    ...(reading !== undefined && { reading }),
  };
  return { ...settings, source };
}

/** The pieces of a plan are written one by one, so a batch that ended while planning has only some of them. */
async function checkPlanIsWhole(
  client: BatchClient,
  batch: string,
  { record, last, hasReceipts }: Rounds,
  known: BatchListing | null,
  manifest: ManifestHead | null,
): Promise<void> {
  if (record !== null || last > 1 || hasReceipts || manifest?.state === 'completed') return;
  if (known === null) {
    throw new UserError(`batch ${batch}: its plan may be incomplete: submit its catalog again with the same id`);
  }
  if ((await batchProgress(client, batch)).totals.jobs === 0) throw neverPlanned(batch);
}

const neverPlanned = (batch: string): UserError =>
  new UserError(`batch ${batch} was never planned ("status" says why): submit its catalog again`);

async function noPlan(
  client: BatchClient,
  batch: string,
  { url }: ObjectStore,
  known: BatchListing | null,
  manifest: ManifestHead | null,
): Promise<UserError> {
  const missing = `expected its plan at ${planFolder(batch)} in ${shownPlace(url)}, found none`;
  if (manifest !== null || (known?.total ?? 0) > 0) {
    return new UserError(
      `batch ${batch}: ${missing}. Retry where that store can be read, name the store where the batch is now (--store), or submit its catalog as another batch`,
    );
  }
  if (known !== null) return neverPlanned(batch);
  return unknownBatch(client, batch, `; ${missing}. Name its store with --store`);
}

/** The input of the batch's last round, from the first event of its history. */
async function lastInput(client: BatchClient, batch: string): Promise<BatchInput> {
  const { history } = await aboutBatch(client, batch, () =>
    client.temporal.workflowService.getWorkflowExecutionHistory({
      namespace: client.namespace,
      execution: { workflowId: batchWorkflowId(batch) },
      maximumPageSize: 1,
    }),
  );
  const payload = history?.events?.[0]?.workflowExecutionStartedEventAttributes?.input?.payloads?.[0];
  const input = payload && (await rawValue<BatchInput>(client.temporal, payload));
  if (!input) throw new Error(`batch ${batch}: expected its history to begin with its input`);
  return input;
}
