import type { ChildWorkflowHandle } from '@temporalio/workflow';
import type { Size } from '../../domain/size.ts';
import type { BatchControl, ShardControl } from '../contract/control.ts';
import type { ShardRef } from '../contract/plan.ts';
import type { Workflows } from '../contract/workflows.ts';
import { shardControlSignal } from '../messages.ts';

type Running = {
  shard: ShardRef;
  /** The control settings last sent to it, as text. */
  told: string;
  handle: ChildWorkflowHandle<Workflows['renderShard']> | null;
  /** It was cancelled, and is not queried any more. */
  hasEnded: boolean;
};

/** A batch's running shards, longest-running first, and the control settings sent to each. */
export class RunningShards {
  readonly #running: Running[] = [];
  #sequence = 0;

  /** The shards that can report their progress. */
  get answering(): ShardRef[] {
    return this.#running.filter(({ hasEnded }) => !hasEnded).map(({ shard }) => shard);
  }

  find(number: number): ShardRef | undefined {
    return this.#of(number)?.shard;
  }

  /** Adds a shard. @returns its control settings; `undefined` while nobody has changed anything */
  add(shard: ShardRef, control: BatchControl): ShardControl | undefined {
    const running: Running = { shard, told: '', handle: null, hasEnded: false };
    this.#running.push(running);
    if (control.version === 0) return undefined;
    const forShard = this.#controlOf(running, control);
    running.told = JSON.stringify(forShard);
    return this.#numbered(forShard);
  }

  /** A shard has started, and can now be signalled. */
  started(number: number, handle: ChildWorkflowHandle<Workflows['renderShard']>, control: BatchControl): void {
    const running = this.#of(number);
    if (running !== undefined) running.handle = handle;
    this.tell(control);
  }

  /** A shard has ended: the others share its part of the window. */
  remove(number: number, control: BatchControl): void {
    const place = this.#running.findIndex(({ shard }) => shard.shard === number);
    if (place >= 0) this.#running.splice(place, 1);
    this.tell(control);
  }

  /** A shard was cancelled. It keeps its part of the window: usually its whole batch ends, and existing histories depend on it. */
  ended(number: number): void {
    const running = this.#of(number);
    if (running !== undefined) running.hasEnded = true;
  }

  /** Signals each shard whose settings have changed. A shard that has just ended cannot and need not receive the signal. */
  tell(control: BatchControl): void {
    if (control.version === 0) return;
    for (const running of this.#running) {
      if (running.handle === null) continue;
      const forShard = this.#controlOf(running, control);
      const text = JSON.stringify(forShard);
      if (text === running.told) continue;
      running.told = text;
      running.handle.signal(shardControlSignal, this.#numbered(forShard)).catch(() => undefined);
    }
  }

  #numbered(control: Omit<ShardControl, 'sequence'>): ShardControl {
    this.#sequence += 1;
    return { ...control, sequence: this.#sequence };
  }

  #controlOf(running: Running, control: BatchControl): Omit<ShardControl, 'sequence'> {
    const { size } = running.shard;
    const ofSize = this.#ofSize(size);
    return {
      paused: control.paused !== null,
      window: shareOf(control.window, ofSize.length, ofSize.indexOf(running)),
      priority: control.priority,
      cancelAll: control.cancelledSizes.includes(size),
      filters: control.filters,
    };
  }

  #of(number: number): Running | undefined {
    return this.#running.find(({ shard }) => shard.shard === number);
  }

  #ofSize(size: Size): Running[] {
    return this.#running.filter(({ shard }) => shard.size === size);
  }
}

/**
 * A shard's share of its size's window, longest-running shard first. If there is less than one image each, the last
 * shards wait.
 */
export const shareOf = (window: number, shards: number, rank: number): number =>
  Math.floor(window / shards) + (rank < window % shards ? 1 : 0);
