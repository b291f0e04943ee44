import { type BundleRef, shortDigest } from '../domain/bundle-ref.ts';
import { UserError } from '../domain/user-error.ts';
import { rawValue } from '../encryption/raw-payloads.ts';
import { planFolder } from '../records/layout.ts';
import { findManifestHead, type ManifestHead } from '../records/manifest.ts';
import { type RoundRecord, type Rounds, roundsOf } from '../records/rounds.ts';
import { type ObjectStore, openStore, storeUrl } from '../store/index.ts';
import type { BatchInput, CatalogSource } from '../workflows/contract/batch.ts';
import { batchWorkflowId } from '../workflows/contract/queues.ts';
import { firstSource } from '../workflows/contract/round.ts';
import { aboutBatch, type BatchListing, BatchUnknown, describeBatch, stillRuns, unlessUnknown } from './batches.ts';
import type { BatchClient } from './connect.ts';
import { checkPlannedWith, planPremises } from './plan-premises.ts';
import { batchProgress } from './progress.ts';

/** What a batch's next round goes on with. */
export type LastRound = {
  store: ObjectStore;
  /** As its last round was started, with that one's number. */
  input: BatchInput & { source: Extract<CatalogSource, { kind: 'retry' }> };
  /** Who says so: the server, the round's record in the store, or, where an earlier version kept none, the plan with the usual settings. */
  from: 'server' | 'record' | 'plan';
  /** It told, or may have told, a webhook whose address nobody remembers. */
  isWebhookLost: boolean;
  /** Of the manifest that the batch has. */
  manifest: ManifestHead | null;
};

/** Where a batch is looked for, and what it was made with, where neither the server nor the store says so. */
export type Whereabouts = { store?: string | undefined; bundle?: BundleRef | undefined };

/**
 * Finds the last round of a batch that has ended: on the server, which forgets in time, and in the store.
 *
 * @throws BatchUnknown where the server does not know the batch and no store is named
 * @throws UserError where it still runs, has no whole plan, or nothing tells its bundle
 */
export async function lastRound(client: BatchClient, batch: string, where: Whereabouts): Promise<LastRound> {
  const known = await describeBatch(client, batch).catch(unlessUnknown);
  if (known?.endedAt === null) throw stillRuns(batch);
  const url = where.store === undefined ? known?.store : storeUrl(where.store);
  if (url === undefined) throw new BatchUnknown(client, batch);
  const store = await openStore(url);
  const manifest = await findManifestHead(store, batch);
  const rounds = withManifest(await roundsOf(store, batch), manifest);
  const told = known !== null && isSameStore(known.store, url) ? known : null;
  if (rounds.firstPiece === null) throw noPlan(client, batch, store, told, manifest);
  await checkPlanIsWhole(client, batch, rounds, told, manifest);
  const remembered = told === null ? null : await lastInput(client, batch);
  const { input, from } = await settled(store, batch, rounds, remembered, where);
  checkSameBundle(batch, input.bundle, where.bundle);
  await checkPlannedWith(store, rounds.firstPiece, input.bundle);
  const hadWebhook = from === 'plan' || (from === 'record' && rounds.record!.hasWebhook);
  return { store, input, from, isWebhookLost: hadWebhook && input.webhook === undefined, manifest };
}

/** A slash at the end makes no other place of it. */
export const isSameStore = (one: string, other: string): boolean =>
  one.replace(/\/+$/, '') === other.replace(/\/+$/, '');

/** A round of an earlier version that had nothing to render left its manifest alone. */
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

/** The server knows most, unless a later round was begun elsewhere. */
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

/** Its pieces are written one by one; a batch that ended meanwhile has some of them. */
async function checkPlanIsWhole(
  client: BatchClient,
  batch: string,
  { record, last, hasReceipts }: Rounds,
  known: BatchListing | null,
  manifest: ManifestHead | null,
): Promise<void> {
  if (record !== null || last > 1 || hasReceipts || manifest?.state === 'completed') return;
  if (known === null) {
    throw new UserError(
      `batch ${batch}: nothing tells whether it was planned to its end: submit its catalog again under the same id`,
    );
  }
  if ((await batchProgress(client, batch)).totals.jobs === 0) throw neverPlanned(batch);
}

const neverPlanned = (batch: string): UserError =>
  new UserError(`batch ${batch} was never planned (status tells why): submit its catalog again`);

function noPlan(
  client: BatchClient,
  batch: string,
  { url }: ObjectStore,
  known: BatchListing | null,
  manifest: ManifestHead | null,
): UserError {
  const missing = `expected its plan at ${planFolder(batch)} in ${url}, found none`;
  if (manifest !== null || (known?.total ?? 0) > 0) {
    return new UserError(
      `batch ${batch}: ${missing}. Retry where that store can be read, say where the batch lies now (--store), or submit its catalog as another batch`,
    );
  }
  if (known !== null) return neverPlanned(batch);
  return new BatchUnknown(client, batch, `; ${missing}. Say where the batch lies with --store`);
}

/** What the batch's last round was started with; the first event of its history has it. */
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
