import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { batchEnd, batchProgress, controlBatch, retrying } from '../../client/index.ts';
import { NoOrchestrator } from '../../client/progress.ts';
import { ACTIVITIES, accessOf, type Cell } from './cells.ts';
import type { FaultyFleet } from './faulty-fleet.ts';
import type { FaultyWorker } from './faulty-worker.ts';
import { runOutOfMemory, SmallDisk } from './machine-faults.ts';
import { answered, LOOK_EVERY_MS, REACHED_WITHIN_MS, until } from './waits.ts';

const HOUR = 3_600;
/** The emulator's client tries again for some ten seconds by itself; an activity that hangs says so sooner. */
const TOLD_WITHIN_MS = 40_000;

/** Where a batch's folder lies. */
export const folderOf = ({ folder }: FaultyFleet, batch: string): string => path.join(folder, batch);

/** A cell's fault, from its beginning to its end. */
export class CellFault {
  told: string | null = null;
  hits = 0;
  readonly #cell: Cell;
  readonly #batch: string;
  readonly #fleet: FaultyFleet;
  readonly #worker: FaultyWorker;
  readonly #access: NonNullable<ReturnType<typeof accessOf>>;
  readonly #delayMs: number;
  #computed = 0;
  #disk: SmallDisk | null = null;

  /** @param delayMs after which the fault begins where no access tells the moment */
  constructor(cell: Cell, batch: string, fleet: FaultyFleet, delayMs: number) {
    this.#cell = cell;
    this.#batch = batch;
    this.#fleet = fleet;
    this.#worker = fleet.worker(ACTIVITIES.find(({ name }) => name === cell.activity)!.role);
    this.#access = accessOf(cell)!;
    this.#delayMs = delayMs;
  }

  /** What lies in wait before the batch begins; what is asked for while it runs is not yet. */
  async prepare(): Promise<void> {
    this.#computed = await this.#fleet.computations();
    if (this.#cell.fault === 'tmpfs full') this.#disk = await SmallDisk.mount(folderOf(this.#fleet, this.#batch));
    if (this.#access === 'receiver') this.#fleet.receiver.fault = this.#isGate ? 'hang' : this.#cell.fault;
    this.#fleet.receiver.refused = 0;
    if (this.#asked === undefined) await this.#begin();
  }

  /** Until the batch has met it. */
  async strike(): Promise<void> {
    const { client } = this.#fleet;
    if (this.#asked !== undefined) {
      await until(
        async () => (await answered(() => batchProgress(client, this.#batch))).totals.rendered > 0,
        REACHED_WITHIN_MS,
        'an image',
      );
      await this.#begin();
      const filter = { column: 'id', pattern: 'fox-0' };
      // Images in hand are finished; the row that is not wanted any more is there.
      if (this.#asked === 'pause') await controlBatch(client, this.#batch, { kind: 'pause' });
      else await controlBatch(client, this.#batch, { kind: 'cancel-rows', filter });
    }
    if (this.#access === 'anything') await sleep(this.#delayMs);
    else if (this.#access === 'picture') await until(this.#isComputing, REACHED_WITHIN_MS, 'a picture is computed');
    else await until(() => this.#count() > 0, REACHED_WITHIN_MS, `${this.#cell.activity} met the fault`);
  }

  /** What it does, until status tells of it. */
  async pass(): Promise<void> {
    const { fault } = this.#cell;
    if (fault === 'worker killed') await this.#worker.process.kill();
    else if (fault === 'child killed') this.#worker.process.killChild();
    else if (fault.startsWith('clock')) await this.#shift(fault === 'clock +1 h' ? HOUR : -HOUR);
    else if (fault === 'out of memory') await runOutOfMemory(this.#worker.process.childPid);
    else if (this.#access === 'receiver') await sleep(this.#delayMs);
    else {
      await this.#disk?.fill();
      await this.#untilTold();
    }
    if (this.#asked === 'pause') await this.#resume();
  }

  /** Ends the fault. */
  async clear(): Promise<void> {
    this.hits = this.#count();
    this.#fleet.receiver.fault = null;
    await this.#worker.end();
    await this.#disk?.empty();
  }

  /** Takes away what the batch was written on. */
  leave(): void {
    this.#disk?.unmount();
  }

  get #asked() {
    return ACTIVITIES.find(({ name }) => name === this.#cell.activity)!.asked;
  }

  /** The activity is held at its access until the fault is done to its process. */
  get #isGate(): boolean {
    return this.#cell.fault.endsWith('killed') || this.#cell.fault.startsWith('clock');
  }

  async #begin(): Promise<void> {
    if (typeof this.#access === 'string') return;
    await this.#worker.begin({ ...this.#access, fault: this.#isGate ? 'hang' : this.#cell.fault });
  }

  #count(): number {
    return this.#access === 'receiver' ? this.#fleet.receiver.refused : this.#worker.hits;
  }

  readonly #isComputing = async (): Promise<boolean> => (await this.#fleet.computations()) > this.#computed;

  /** An order that nobody answers in time may be taken later, and is then not there to be given again. */
  async #resume(): Promise<void> {
    const { client } = this.#fleet;
    const isPaused = async () => (await answered(() => batchProgress(client, this.#batch))).paused !== undefined;
    while (await isPaused()) {
      await controlBatch(client, this.#batch, { kind: 'resume' }).catch((error: unknown) => {
        if (!(error instanceof NoOrchestrator)) throw error;
      });
    }
  }

  /** Seen by the process before it goes on; the clock stays so for as long as the process lives. */
  async #shift(seconds: number): Promise<void> {
    await this.#worker.shiftClock(seconds);
    await sleep(2_000);
  }

  /** Not at all where the store's own tries hide it, or the process has died of it. */
  async #untilTold(): Promise<void> {
    const { client } = this.#fleet;
    for (const end = performance.now() + TOLD_WITHIN_MS; performance.now() < end; await sleep(LOOK_EVERY_MS * 4)) {
      if (this.#disk === null && !this.#worker.isFaulty) return;
      const [first] = await retrying(client, this.#batch);
      if (first !== undefined) {
        this.told = `${first.activity}${first.waitsForStore ? ' waits for the store' : ''}: ${first.reason}`;
        return;
      }
      if (
        (await answered(() => batchProgress(client, this.#batch))).state !== 'rendering' &&
        (await isOver(client, this.#batch))
      )
        return;
    }
  }
}

async function isOver(client: FaultyFleet['client'], batch: string): Promise<boolean> {
  return Promise.race([batchEnd(client, batch).then(() => true), sleep(500).then(() => false)]);
}
