import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WorkerProcess } from '../../../e2e/worker-process.ts';
import type { Api, KubernetesObject } from './api.ts';

const NAME = 'here';

type Container = {
  name: string;
  image: string;
  args: string[];
  env: { name: string; value: string }[];
  volumeMounts: { name: string; mountPath: string }[];
  lifecycle?: { preStop?: { sleep: { seconds: number } } };
};

type Pod = KubernetesObject & {
  spec: {
    containers: [Container];
    volumes: { name: string; persistentVolumeClaim?: object }[];
    terminationGracePeriodSeconds: number;
  };
};

type Running = { process: WorkerProcess; address: string; isReady: boolean; isEnding: boolean };

type EndpointSlice = KubernetesObject & {
  metadata: { labels: Record<string, string> };
  endpoints: { addresses: string[]; conditions: { ready?: boolean } }[] | null;
};

/**
 * What a node is to a cluster, without containers: it runs each pod that the scheduler gives it as a process, with the pod's own
 * arguments and variables, tells when it is ready, and ends it as it is to end. Every pod has an address of the loopback device. Names of services
 * are those of /etc/hosts.
 */
export class StandInNode {
  readonly #api: Api;
  readonly #folder: string;
  readonly #bundles: string;
  readonly #pods = new Map<string, Running>();
  #addresses = 1;
  #failure: Error | null = null;

  /**
   * @param folder for what pods write
   * @param bundles what a claim is mounted from
   */
  constructor(api: Api, folder: string, bundles: string) {
    this.#api = api;
    this.#folder = folder;
    this.#bundles = bundles;
  }

  /** Makes itself known, and works until the check is over. */
  async join(): Promise<void> {
    await this.#api.post('/api/v1/nodes', { metadata: { name: NAME, labels: { 'kubernetes.io/hostname': NAME } } });
    const resources = { cpu: '64', memory: '256Gi', pods: '100' };
    const conditions = [{ type: 'Ready', status: 'True' }];
    await this.#api.patch(`/api/v1/nodes/${NAME}/status`, {
      status: { capacity: resources, allocatable: resources, conditions },
    });
    this.#work().catch((error) => {
      this.#failure = error;
    });
  }

  /** @throws Error where it has failed, or a pod's process has ended by itself */
  check(): void {
    if (this.#failure !== null) throw this.#failure;
  }

  async #work(): Promise<never> {
    for (;;) {
      const pods = await this.#api.list<Pod>(`/api/v1/pods?fieldSelector=spec.nodeName=${NAME}`);
      for (const pod of pods) await this.#attend(pod);
      await this.#writeNames();
      await sleep(500);
    }
  }

  async #attend(pod: Pod): Promise<void> {
    const running = this.#pods.get(pod.metadata.uid);
    if (pod.metadata.deletionTimestamp !== undefined) {
      if (running === undefined) await this.#api.remove(urlOf(pod));
      else if (!running.isEnding) this.#end(pod, running).catch((error) => this.#fail(error));
    } else if (running === undefined) {
      await this.#start(pod);
    } else if (running.process.hasEnded) {
      throw new Error(`${pod.metadata.name} ended: ${JSON.stringify(running.process.lines.slice(-5))}`);
    } else if (!running.isReady && (await isHealthy(running.address))) {
      running.isReady = true;
      await this.#report(pod, running);
    }
  }

  #fail(error: Error): void {
    this.#failure = error;
  }

  async #start(pod: Pod): Promise<void> {
    const { args, env, volumeMounts } = pod.spec.containers[0];
    const address = `10.244.1.${this.#addresses++}`;
    const folderOf = (volume: string) => this.#volume(pod, volume);
    const mounts = volumeMounts.map(({ name, mountPath }) => ({ mountPath, folder: folderOf(name) }));
    const variables = env.map(({ name, value }) => [name, mounted(value, mounts)]);
    // All containers listen on 0.0.0.0, which is one address here.
    const own = [`--http-address=${address}:8080`, `--metrics-address=${address}:9464`];
    const process = new WorkerProcess([...args.slice(1), ...own], Object.fromEntries(variables));
    const running = { process, address, isReady: false, isEnding: false };
    this.#pods.set(pod.metadata.uid, running);
    await this.#report(pod, running);
  }

  #volume({ metadata: { uid }, spec: { volumes } }: Pod, name: string): string {
    if (volumes.some((volume) => volume.name === name && volume.persistentVolumeClaim)) return this.#bundles;
    const folder = path.join(this.#folder, uid, name);
    mkdirSync(folder, { recursive: true });
    return folder;
  }

  async #report(pod: Pod, { address, isReady }: Running): Promise<void> {
    const [{ name, image }] = pod.spec.containers;
    const status = isReady ? 'True' : 'False';
    const state = { running: { startedAt: new Date().toISOString() } };
    await this.#api.patch(`${urlOf(pod)}/status`, {
      status: {
        phase: 'Running',
        podIP: address,
        podIPs: [{ ip: address }],
        conditions: ['Ready', 'ContainersReady'].map((type) => ({ type, status })),
        containerStatuses: [{ name, image, imageID: '', restartCount: 0, ready: isReady, started: isReady, state }],
      },
    });
  }

  async #end(pod: Pod, running: Running): Promise<void> {
    running.isEnding = true;
    const { containers, terminationGracePeriodSeconds } = pod.spec;
    await sleep((containers[0].lifecycle?.preStop?.sleep.seconds ?? 0) * 1000);
    const timer = setTimeout(
      () => this.#fail(new Error(`${pod.metadata.name}: expected to end within its grace period`)),
      terminationGracePeriodSeconds * 1000,
    );
    await running.process.kill('SIGTERM');
    clearTimeout(timer);
    await this.#api.remove(urlOf(pod));
    this.#pods.delete(pod.metadata.uid);
  }

  /** As the cluster's DNS would tell a service without an address of its own. */
  async #writeNames(): Promise<void> {
    const slices = await this.#api.list<EndpointSlice>('/apis/discovery.k8s.io/v1/endpointslices');
    const lines = slices.flatMap(({ metadata: { namespace, labels }, endpoints }) =>
      (endpoints ?? [])
        .filter(({ conditions }) => conditions.ready)
        .map(({ addresses }) => `${addresses[0]} ${labels['kubernetes.io/service-name']}.${namespace}.svc`),
    );
    writeFileSync('/etc/hosts', ['127.0.0.1 localhost', ...lines, ''].join('\n'));
  }
}

const urlOf = ({ metadata: { namespace, name } }: Pod): string => `/api/v1/namespaces/${namespace}/pods/${name}`;

const isHealthy = async (address: string): Promise<boolean> =>
  (await fetch(`http://${address}:8080/health`).catch(() => null))?.status === 200;

function mounted(value: string, mounts: { mountPath: string; folder: string }[]): string {
  const mount = mounts.find(({ mountPath }) => value === mountPath || value.startsWith(`${mountPath}/`));
  return mount === undefined ? value : mount.folder + value.slice(mount.mountPath.length);
}
