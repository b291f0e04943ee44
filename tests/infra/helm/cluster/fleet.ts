import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import {
  type BatchClient,
  type BundleRef,
  batchEnd,
  batchProgress,
  controlBatch,
  type Size,
  submitBatch,
} from '../../../../client/index.ts';
import { QUEUE_TYPE } from '../../../../workflows/contract/pollers.ts';
import { encodeQueue, renderQueue } from '../../../../workflows/contract/queues.ts';
import { untilComputing } from '../../../e2e/fleet.ts';
import type { Api } from './api.ts';
import { NAMESPACE, RELEASE } from './chart.ts';

type Deployment = { spec: { replicas: number }; status: { replicas?: number; readyReplicas?: number } };
type Conditions = { metadata: { name: string }; status?: { conditions?: { type: string; status: string }[] } };

/** What can be asked of the installed chart, and done with it. */
export class ClusterFleet {
  readonly #api: Api;
  readonly #client: BatchClient;
  readonly #bundle: BundleRef;
  readonly #folder: string;

  constructor(api: Api, client: BatchClient, bundle: BundleRef, folder: string) {
    this.#api = api;
    this.#client = client;
    this.#bundle = bundle;
    this.#folder = folder;
  }

  readonly queues = {
    images: (size: Size): string => renderQueue(size, this.#bundle.digest),
    texts: (): string => encodeQueue(this.#bundle.encoder!),
  };

  /** Pods of a Deployment: how many it is to have, all of which there are. */
  pods = async (part: string): Promise<number | string> => {
    const { spec, status } = await this.#api.get<Deployment>(urlOf(part));
    const there = status.replicas ?? 0;
    return there === spec.replicas ? there : `${there} of ${spec.replicas}`;
  };

  ready = async (part: string): Promise<number> =>
    (await this.#api.get<Deployment>(urlOf(part))).status.readyReplicas ?? 0;

  scale = (part: string, replicas: number): Promise<unknown> => this.#api.patch(urlOf(part), { spec: { replicas } });

  /** By ScaledObject, whether KEDA calls a condition true. */
  condition = async (type: string): Promise<Record<string, string | undefined>> => {
    const path = `/apis/keda.sh/v1alpha1/namespaces/${NAMESPACE}/scaledobjects`;
    const objects = await this.#api.list<Conditions>(path);
    return Object.fromEntries(
      objects.map(({ metadata, status }) => [
        metadata.name.replace(`${RELEASE}-`, ''),
        status?.conditions?.find((each) => each.type === type)?.status,
      ]),
    );
  };

  /** What KEDA is told, by the name that it asks. */
  wanted = async (queue: string): Promise<number | string> => {
    const response = await fetch(`http://${RELEASE}-orchestrator.${NAMESPACE}.svc:8080/wanted/${queue}`);
    return response.ok ? ((await response.json()) as { wanted: number }).wanted : response.status;
  };

  untilUnwanted = async (queue: string): Promise<void> => {
    while ((await this.wanted(queue)) !== 0) await sleep(500);
  };

  /** What KEDA's scaler of the name `temporal` would be told. */
  backlog = async (queue: string): Promise<number> => {
    const { stats } = await this.#client.temporal.workflowService.describeTaskQueue({
      namespace: this.#client.namespace,
      taskQueue: { name: queue },
      taskQueueType: QUEUE_TYPE.activity,
      reportStats: true,
    });
    return Number(stats?.approximateBacklogCount ?? 0);
  };

  submit = async (batch: string, pictures: number, size: Size, steps: number): Promise<void> => {
    const rows = Array.from({ length: pictures }, (_, number) => `fox ${number} of ${batch},${steps},${size}`);
    const catalog = path.join(this.#folder, `${batch}.csv`);
    await writeFile(catalog, ['prompt,steps,size', ...rows].join('\n'));
    const store = pathToFileURL(path.join(this.#folder, 'store')).href;
    await submitBatch(this.#client, { catalog, store, bundle: this.#bundle, batch });
  };

  /** Waits until one of the batch's pictures is in the middle of its steps. */
  untilInHand = (batch: string): Promise<void> => untilComputing(this.#client, batch);

  control = (batch: string, kind: 'pause' | 'resume'): Promise<void> => controlBatch(this.#client, batch, { kind });

  rendered = async (batch: string): Promise<number> => (await batchProgress(this.#client, batch)).totals.rendered;

  /** How it ended, once it has. */
  end = async (batch: string): Promise<string> => {
    const end = await batchEnd(this.#client, batch);
    return end.state === 'completed' ? `${end.result.totals.rendered} rendered` : end.state;
  };
}

const urlOf = (part: string): string => `/apis/apps/v1/namespaces/${NAMESPACE}/deployments/${RELEASE}-${part}`;
