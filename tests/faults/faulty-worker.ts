import { existsSync, statSync } from 'node:fs';
import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { KeptWorker } from '../chaos/kept-worker.ts';
import { WorkerProcess } from '../e2e/worker-process.ts';
import { type Fate, type FaultyNetwork, startFaultyNetwork } from '../store/faulty-network.ts';
import type { Fault, Role } from './cells.ts';

export const FAKE_TIME = '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1';

/** What a worker meets from now on: of which objects, and what. */
export type Rule = { on: 'read' | 'write'; name: RegExp; fault: Fault };

export type FaultyWorkerOptions = {
  role: Role;
  /** Of `pixart-batch worker`. */
  options: string[];
  /** What it logs when it can work. */
  ready: string;
  environment: NodeJS.ProcessEnv;
  /** Where its rules lie. */
  folder: string;
  /** Of the bucket emulator. */
  bucket: string;
  hasClock: boolean;
};

type Files = { rule: string; hits: string; clock: string };

/** A worker process that is kept, and its ways to folders and buckets, which can be made to fail for a while. */
export class FaultyWorker {
  readonly role: Role;
  readonly process: KeptWorker;
  readonly #files: Files;
  readonly #network: FaultyNetwork;
  #rule: Rule | null = null;
  #hits = 0;
  #clock = 0;
  #end = (): void => {};
  #ended: Promise<void> = Promise.resolve();

  static async start(options: FaultyWorkerOptions): Promise<FaultyWorker> {
    const { role, folder, bucket } = options;
    const files = {
      rule: path.join(folder, `${role}.rule`),
      hits: path.join(folder, `${role}.hits`),
      clock: path.join(folder, `${role}.clock`),
    };
    await writeFile(files.hits, '');
    await writeFile(files.clock, '+0\n');
    let worker: FaultyWorker | undefined;
    const network = await startFaultyNetwork(bucket, (label, _, url) => worker?.fate(label, url) ?? 'passes');
    worker = new FaultyWorker(options, files, network);
    return worker;
  }

  private constructor(options: FaultyWorkerOptions, files: Files, network: FaultyNetwork) {
    this.role = options.role;
    this.#files = files;
    this.#network = network;
    const preload = new URL('./faulty-files.mjs', import.meta.url);
    preload.search = new URLSearchParams({ rule: files.rule, hits: files.hits }).toString();
    const { NODE_OPTIONS = '' } = options.environment;
    const clock = {
      LD_PRELOAD: FAKE_TIME,
      FAKETIME_TIMESTAMP_FILE: files.clock,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
      DONT_FAKE_MONOTONIC: '1',
    };
    const environment = {
      ...options.environment,
      NODE_OPTIONS: `${NODE_OPTIONS} --import ${preload}`,
      STORAGE_EMULATOR_HOST: network.endpoint,
      ...(options.hasClock && clock),
    };
    this.process = new KeptWorker(() => new WorkerProcess(options.options, environment), options.ready);
  }

  /** Requests and system calls that have met the rule. */
  get hits(): number {
    return this.#hits + statSync(this.#files.hits).size;
  }

  async begin(rule: Rule): Promise<void> {
    this.#rule = rule;
    this.#hits = 0;
    await writeFile(this.#files.hits, '');
    this.#ended = new Promise((resolve) => {
      this.#end = resolve;
    });
    await writeFile(this.#files.rule, JSON.stringify({ ...rule, name: rule.name.source }));
  }

  /** Whether the rule is still in force: one that kills the process ends with it. */
  get isFaulty(): boolean {
    return existsSync(this.#files.rule);
  }

  async end(): Promise<void> {
    this.#rule = null;
    await rm(this.#files.rule, { force: true });
    this.#end();
  }

  /** Moves the process's clock from where it is; it takes a second to be seen. */
  shiftClock(seconds: number): Promise<void> {
    this.#clock += seconds;
    return writeFile(this.#files.clock, `${this.#clock < 0 ? '' : '+'}${this.#clock}\n`);
  }

  fate(label: string, url: URL): Fate {
    const asked = accessOf(label, url);
    if (this.#rule === null || asked.on !== this.#rule.on || !this.#rule.name.test(asked.name)) return 'passes';
    const { fault } = this.#rule;
    if (fault === 'corrupted read' && url.searchParams.get('alt') !== 'media') return 'passes';
    this.#hits += 1;
    if (fault === '429' || fault === '503') {
      return { status: Number(fault), body: { error: { code: Number(fault), message: 'later' } } };
    }
    if (fault === 'reset') return 'is reset';
    if (fault === 'hang') return { hangsUntil: this.#ended };
    return fault === 'partial write' ? 'is cut off' : 'answer is damaged';
  }

  async stop(): Promise<void> {
    await this.end();
    await this.process.stop();
    await this.#network.stop();
  }
}

/** What a request to Cloud Storage is for. */
function accessOf(label: string, url: URL): { on: 'read' | 'write'; name: string } {
  const [, name = ''] = /.*\/o\/([^/]+)$/.exec(url.pathname) ?? [];
  const uploaded = url.searchParams.get('name');
  if (uploaded !== null) return { on: 'write', name: uploaded };
  return { on: label.startsWith('GET ') ? 'read' : 'write', name: decodeURIComponent(name) };
}
