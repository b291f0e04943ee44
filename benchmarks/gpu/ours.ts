import path from 'node:path';
import { type Bundle, type Device, openBundle } from '../../models/pixart/index.ts';
import { createEncoder, type Encoder, type Renderer, startRenderer, usableCores } from '../../models/renderer/index.ts';
import { peakSignalToNoise } from '../bench/pictures.ts';
import type { BundleName, Task } from './items.ts';
import { watchMemory } from './memory-watch.ts';
import { captionsFor, type Painted, paint, requestsFor } from './paint.ts';
import type { Sample } from './results.ts';
import { makeWeights } from './weights.ts';

export type OurOptions = {
  device: Device;
  /** The folder that `gpu-kit.ts bundles` has made. */
  bundles: string;
  /** How many images may share a call. */
  together: number;
  say: (line: string) => void;
};

type PaintTask = Extract<Task, { kind: 'paint' | 'compare' }>;

/** Steps of the calls that prepare kernels. */
const WARM_STEPS = 3;

/** A peer may load and compile in between. */
const ENCODER_IDLE_MS = 600_000;

/** The product's renderer, with one bundle at a time, and its encoder. */
export class Ours {
  readonly #options: OurOptions;
  #opened: { name: BundleName; bundle: Bundle; renderer: Renderer } | undefined;
  #encoder: Encoder | undefined;
  /** Tasks whose kernels are prepared: the renderer has done them once since it last had another bin. */
  readonly #warm = new Set<string>();
  #warmBin = '';

  constructor(options: OurOptions) {
    this.#options = options;
  }

  async paint(task: PaintTask): Promise<Painted> {
    const { bundle, renderer } = await this.#open(task.bundle);
    const captions = captionsFor(bundle);
    const [key, bin] = [JSON.stringify(task), `${task.bin.width}×${task.bin.height}`];
    // ONNX Runtime keeps plans of convolutions for the last shape only (onnxruntime issue 23006).
    if (bin !== this.#warmBin) this.#warm.clear();
    this.#warmBin = bin;
    if (!this.#warm.has(key)) {
      await paint(renderer, requestsFor(bundle, { ...task, steps: Math.min(task.steps, WARM_STEPS) }), captions);
    }
    this.#warm.add(key);
    return paint(renderer, requestsFor(bundle, task), captions);
  }

  /** Loads the networks while memory is watched, with nothing else of ours on the device. */
  async paintWatched(task: PaintTask): Promise<Sample> {
    await this.#closeRenderer();
    await this.#makeWeights(task.bundle, 'painter');
    const watch = await watchMemory(this.#options.device);
    const painted = await this.paint(task).finally(() => watch.stop());
    return { ...painted.sample, memoryBytes: await watch.stop() };
  }

  /** Compares an image from the device with the same image from a processor, from the same bundle. */
  async compare(task: PaintTask): Promise<Sample> {
    const { sample, pictures } = await this.paint(task);
    const { bundle } = this.#opened!;
    const renderer = await startRenderer({ bundleFolder: bundle.folder, device: 'cpu', threads: usableCores() });
    try {
      const expected = await paint(renderer, requestsFor(bundle, task), captionsFor(bundle));
      const decibels = peakSignalToNoise(pictures[0]!, expected.pictures[0]!);
      return { ...sample, decibels: Number.isFinite(decibels) ? decibels : null };
    } finally {
      await renderer.close();
    }
  }

  /** Encodes one text, of arbitrary tokens. */
  async encode({ bundle: name, tokens }: Extract<Task, { kind: 'encode' }>): Promise<Sample> {
    const ids = Array.from({ length: tokens }, (_, i) => 3 + i);
    if (this.#encoder === undefined) {
      await this.#makeWeights(name, 'encoder');
      const { device } = this.#options;
      this.#encoder = createEncoder({ bundleFolder: this.#folder(name), device, idleMs: ENCODER_IDLE_MS });
      await this.#encoder.encode(ids);
    }
    let milliseconds = 0;
    await this.#encoder.encode(ids, {
      onEncoded: (ms) => {
        milliseconds = ms;
      },
    });
    return { seconds: milliseconds / 1_000, images: 1 };
  }

  async close(): Promise<void> {
    await Promise.all([this.#encoder?.close(), this.#closeRenderer()]);
  }

  /** Only one at a time, so that a smaller card has room for the peer beside it. */
  async #open(name: BundleName) {
    if (this.#opened?.name === name) return this.#opened;
    await this.#closeRenderer();
    await this.#makeWeights(name, 'painter');
    const { device, together } = this.#options;
    const bundle = await openBundle(this.#folder(name));
    const threads = device === 'cpu' ? usableCores() : undefined;
    const microBatch = { images: together, description: bundle.description };
    const renderer = await startRenderer({ bundleFolder: bundle.folder, device, threads, microBatch });
    this.#opened = { name, bundle, renderer };
    return this.#opened;
  }

  async #closeRenderer(): Promise<void> {
    await this.#opened?.renderer.close();
    this.#opened = undefined;
    this.#warm.clear();
  }

  async #makeWeights(name: BundleName, part: 'painter' | 'encoder'): Promise<void> {
    const isEncoders = (file: string): boolean => file.startsWith('text_encoder');
    const made = await makeWeights(this.#folder(name), (file) => isEncoders(file) === (part === 'encoder'));
    if (made.length > 0) this.#options.say(`  made ${made.join(', ')} of ${name}`);
  }

  #folder(name: BundleName): string {
    return path.join(this.#options.bundles, name);
  }
}
