import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import {
  type BatchClient,
  type BatchEnd,
  batchEnd,
  batchProgress,
  connect,
  retrying,
  temporalTarget,
} from '../../client/index.ts';
import { startBucketEmulator } from '../../infra/dev/bucket-emulator.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { startGateway } from '../client/gateway.ts';
import type { Finished } from '../e2e/command-line.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { createWorkplace, type Workplace } from '../e2e/workplace.ts';
import { type BucketGuard, covers, type Refused, startBucketGuard } from '../infra/iam/bucket-guard.ts';
import { type Grant, grantsOf, grantText, PARTS } from '../infra/iam/parts.ts';

const BUCKET = 'studio';
const PREFIX = 'images/';
const LISTEN_EVERY_MS = 200;
const MOST_TRIES = 5;

/** `PENDING_ACTIVITY_STATE_SCHEDULED` of Temporal's API. */
const SCHEDULED = 1;

/** What the default authorizer of Temporal's server answers a caller without permission. */
const UNAUTHORIZED = { code: 7, details: 'Request unauthorized.' };

/**
 * One part of a fleet with its own way to the bucket, where it may do nothing at first, and to the Temporal server,
 * where it may make its calls.
 */
export type GuardedPart = {
  bucket: BucketGuard;
  environment: NodeJS.ProcessEnv;
  /** What it was refused and told, and infra/iam does not give it. */
  told: Set<string>;
  calls: { made: Set<string>; refused: Set<string>; withheld?: string | undefined };
};

export type GuardedFleet = {
  place: Workplace;
  storeUrl: string;
  part(name: string): GuardedPart;
  /**
   * Gives a command as that part. What it is refused and tells, it is granted as infra/iam has it, and the command is
   * given again; what it does not tell stays among what it was refused.
   */
  run(part: string, ...args: string[]): Promise<Finished>;
  /**
   * Does something as that part in this process, again and again, until it is refused nothing; a refusal has to be told
   * by its error.
   */
  attempt(part: string, action: () => Promise<void>): Promise<void>;
  /** @param ready what it logs when it is */
  startWorker(part: string, options: string[], ready: string): Promise<WorkerProcess>;
  /**
   * Watches a batch to its end. What workers are refused and tell, in their log or of the batch, they are granted, and
   * try again at once.
   */
  finish(batch: string): Promise<BatchEnd>;
  read(name: string): Promise<Buffer>;
  overwrite(name: string, bytes: Buffer | string): Promise<void>;
  names(prefix: string): Promise<string[]>;
  stop(): Promise<void>;
};

export async function startGuardedFleet(): Promise<GuardedFleet> {
  const place = await createWorkplace();
  const emulator = await startBucketEmulator();
  await emulator.createBucket(BUCKET);
  const server = await startTemporalServer({ ui: false });
  const client = await connect(temporalTarget({ address: server.address }));
  const storeUrl = `gs://${BUCKET}/${PREFIX.slice(0, -1)}`;
  const parts = new Map<string, GuardedPart>();
  const stops: (() => unknown)[] = [];
  for (const [name, { namespace }] of Object.entries(PARTS)) {
    const bucket = await startBucketGuard(emulator.endpoint, `${name}@studio.iam.gserviceaccount.com`, PREFIX);
    const calls: GuardedPart['calls'] = { made: new Set(), refused: new Set() };
    const gateway = await startGateway(server.address, (call) => {
      const isLetThrough = namespace.includes(call) && call !== calls.withheld;
      (isLetThrough ? calls.made : calls.refused).add(call);
      return isLetThrough ? null : UNAUTHORIZED;
    });
    stops.push(() => bucket.stop(), gateway.stop);
    const environment = {
      ...place.environment,
      PIXART_STORE: storeUrl,
      STORAGE_EMULATOR_HOST: bucket.endpoint,
      TEMPORAL_ADDRESS: gateway.address,
    };
    parts.set(name, { bucket, calls, environment, told: new Set() });
  }
  const part = (name: string): GuardedPart => parts.get(name)!;
  const workers: { part: string; worker: WorkerProcess }[] = [];
  const objects = `${emulator.endpoint}/storage/v1/b/${BUCKET}/o`;

  /** Grants what was told, as far as infra/iam has it. @returns whether that was something */
  function grantTold(name: string, text: string): boolean {
    const { bucket, told } = part(name);
    const isTold = ({ permission, object }: Refused): boolean =>
      text.includes(permission) && text.includes(object ?? permission);
    const before = bucket.granted.length;
    for (const [key, refused] of [...bucket.refused].filter(([, refused]) => isTold(refused))) {
      bucket.refused.delete(key);
      const grant = grantFor(name, refused);
      if (grant === undefined) told.add(key);
      else if (!bucket.granted.some((had) => grantText(had) === grantText(grant))) bucket.granted.push(grant);
    }
    // Others that were refused beside these need not be told one by one.
    const isCovered = (refused: Refused): boolean => bucket.granted.some((grant) => covers(grant, refused));
    for (const [key, refused] of bucket.refused) if (isCovered(refused)) bucket.refused.delete(key);
    return bucket.granted.length > before;
  }

  return {
    place,
    storeUrl,
    part,
    async run(name, ...args) {
      for (let tries = 0; ; ) {
        const finished = await runAlone(args, part(name).environment);
        // On a busy machine the server does not answer within the time that commands give it.
        if (finished.stderr.includes('no Temporal server answers') && tries++ < MOST_TRIES) continue;
        if (!grantTold(name, finished.stdout + finished.stderr)) return finished;
      }
    },
    async attempt(name, action) {
      for (;;) {
        const refusal = await action().then(
          () => null,
          (error: Error) => error,
        );
        if (refusal === null) return;
        if (!grantTold(name, refusal.message)) throw refusal;
      }
    },
    async startWorker(name, options, ready) {
      const worker = new WorkerProcess(options, part(name).environment);
      workers.push({ part: name, worker });
      await worker.said(ready);
      return worker;
    },
    async finish(batch) {
      let end: BatchEnd | undefined;
      const ending = batchEnd(client, batch).then((found) => {
        end = found;
      });
      for (; ; await Promise.race([ending, sleep(LISTEN_EVERY_MS)])) {
        const ended = end;
        const told = JSON.stringify([ended, await toldOf(client, batch)]);
        const granted = workers.filter(({ part, worker }) => grantTold(part, told + JSON.stringify(worker.lines)));
        if (ended !== undefined) return ended;
        if (granted.length > 0) await tryAgainNow(client);
      }
    },
    async read(name) {
      const answer = await fetch(`${objects}/${encodeURIComponent(PREFIX + name)}?alt=media`);
      return Buffer.from(await answer.arrayBuffer());
    },
    async overwrite(name, bytes) {
      const to = `${emulator.endpoint}/upload/storage/v1/b/${BUCKET}/o?uploadType=media&name=${encodeURIComponent(PREFIX + name)}`;
      const answer = await fetch(to, { method: 'POST', body: new Uint8Array(Buffer.from(bytes)) });
      if (!answer.ok) throw new Error(`${name}: ${answer.status} ${await answer.text()}`);
    },
    async names(prefix) {
      const answer = await fetch(`${objects}?prefix=${encodeURIComponent(PREFIX + prefix)}`);
      const { items = [] } = (await answer.json()) as { items?: { name: string }[] };
      return items.map(({ name }) => name.slice(PREFIX.length));
    },
    async stop() {
      await Promise.all(workers.map(({ worker }) => worker.kill('SIGKILL')));
      await client.close();
      for (const stop of stops) await stop();
      await server.stop();
      await emulator.stop();
      await place.remove();
    },
  };
}

/**
 * As in a process of its own, whose start would be most of a command's time: with modules of its own, since they keep
 * open what they have opened for another part.
 */
async function runAlone(args: string[], environment: NodeJS.ProcessEnv): Promise<Finished> {
  vi.resetModules();
  const { runHere } = await import('../cli/run-here.ts');
  return runHere(args, environment);
}

/** The one of infra/iam that covers it; none for what a part does without. */
const grantFor = (part: string, refused: Refused): Grant | undefined =>
  grantsOf(PARTS[part]!).find((grant) => covers(grant, refused));

/** The pauses between attempts grow, and a night of refusals would be spent in them: waiting activities are reset instead. */
async function tryAgainNow({ temporal, namespace }: BatchClient): Promise<void> {
  for await (const { workflowId } of temporal.workflow.list({ query: "ExecutionStatus = 'Running'" })) {
    const { raw } = await temporal.workflow.getHandle(workflowId).describe();
    const waiting = raw.pendingActivities?.filter(({ state, attempt }) => state === SCHEDULED && attempt! > 1) ?? [];
    for (const { activityId } of waiting) {
      const request = { namespace, execution: { workflowId }, id: activityId! };
      // It may have ended meanwhile.
      await temporal.workflowService.resetActivity(request).catch(() => {});
    }
  }
}

/** What the server and the orchestrator tell of a batch. */
async function toldOf(client: BatchClient, batch: string): Promise<unknown> {
  const asked = await Promise.allSettled([retrying(client, batch), batchProgress(client, batch)]);
  return asked.map((answer) => (answer.status === 'fulfilled' ? answer.value : null));
}
