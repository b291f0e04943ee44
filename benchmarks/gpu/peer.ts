import { type ChildProcessByStdio, spawn } from 'node:child_process';
import path from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { Device } from '../../models/pixart/index.ts';
import type { PeerTask } from './items.ts';
import type { Sample } from './results.ts';

const SCRIPT = path.join(import.meta.dirname, 'peer.py');

/** Latents along a side of what checkpoints for a size were trained on. */
const SAMPLE_SIZES = { '256': 32, '512': 64, '1024': 128, '2k': 256, '4k': 512 };

export type PeerOptions = { python: string; device: Device; isToy: boolean };

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** diffusers in a process of its own, which reads tasks as lines and answers each. */
export class Peer {
  readonly #child: Child;
  readonly #lines: AsyncIterator<string>;

  private constructor(child: Child, lines: AsyncIterator<string>) {
    this.#child = child;
    this.#lines = lines;
  }

  /**
   * @param signal ends it
   * @throws Error if Python ends before it is ready
   */
  static async start({ python, device, isToy }: PeerOptions, signal: AbortSignal): Promise<Peer> {
    const child = spawn(python, [SCRIPT, '--device', device, ...(isToy ? ['--toy'] : [])], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // It may be compiling, which takes minutes.
      ...{ signal, killSignal: 'SIGKILL' },
    });
    // Its end is seen by whoever waits for a line.
    child.on('error', () => {});
    child.stdin.on('error', () => {});
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
    await next(lines);
    return new Peer(child, lines);
  }

  /** @throws Error with what Python says, if the task fails; the process ends then */
  async measure(task: PeerTask): Promise<Sample> {
    const sized = task.kind === 'diffusers' ? { ...task, sampleSize: SAMPLE_SIZES[task.size] } : task;
    this.#child.stdin.write(`${JSON.stringify(sized)}\n`);
    const answer = (await next(this.#lines)) as Sample | { error: string };
    if ('error' in answer) throw new Error(`the peer: ${answer.error}`);
    return answer;
  }
}

async function next(lines: AsyncIterator<string>): Promise<unknown> {
  const { value, done } = await lines.next();
  if (done) throw new Error('the peer has ended; it says why above');
  return JSON.parse(value);
}
