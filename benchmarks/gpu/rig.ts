import { untilAborted } from '../../models/renderer/index.ts';
import { isPeers, type PeerTask, type Task } from './items.ts';
import { type OurOptions, Ours } from './ours.ts';
import { Peer, type PeerOptions } from './peer.ts';
import type { Sample } from './results.ts';

export type RigOptions = OurOptions & PeerOptions;

/** A peer's first calls compile, and record the CUDA graphs that later calls replay. */
const WARM_STEPS = 3;

/** The product and its peer, which take turns. Each is loaded on its first turn. */
export class Rig {
  readonly #options: RigOptions;
  readonly #ours: Ours;
  readonly #closing = new AbortController();
  #peer: Promise<Peer> | undefined;
  /** What the peer has loaded: the networks that it used last. */
  #peersLast = '';

  constructor(options: RigOptions) {
    this.#options = options;
    this.#ours = new Ours(options);
  }

  /**
   * Measures once. If the networks or shapes are new, it makes a call first that does not count.
   *
   * @throws Error if it fails; the signal's reason, at once, after which the rig has to be closed
   */
  measure(task: Task, signal: AbortSignal): Promise<Sample> {
    return untilAborted(this.#measure(task), signal);
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await this.#ours.close();
  }

  async #measure(task: Task): Promise<Sample> {
    if (isPeers(task)) return this.#measurePeer(task);
    if (task.kind === 'encode') return this.#ours.encode(task);
    if (task.kind === 'compare') return this.#ours.compare(task);
    return task.isMemoryWatched ? this.#ours.paintWatched(task) : (await this.#ours.paint(task)).sample;
  }

  async #measurePeer(task: PeerTask): Promise<Sample> {
    this.#peer ??= Peer.start(this.#options, this.#closing.signal);
    const key = JSON.stringify(task);
    try {
      const peer = await this.#peer;
      if (this.#peersLast !== key) for (const call of warming(task)) await peer.measure(call);
      this.#peersLast = key;
      return await peer.measure(task);
    } catch (error) {
      // The process has ended: an error may leave the device in a state in which it cannot continue.
      this.#peer = undefined;
      this.#peersLast = '';
      throw error;
    }
  }
}

/** The calls that do not count. A compiled decoder, which runs once a call, is recorded in its second one. */
function warming(task: PeerTask): PeerTask[] {
  if (task.kind === 'transformers') return [task];
  const call = { ...task, steps: Math.min(task.steps, WARM_STEPS) };
  return task.isCompiled ? [call, call] : [call];
}
