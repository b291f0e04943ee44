import { MockActivityEnvironment } from '@temporalio/testing';
import { expect } from 'vitest';
import type { OnEncoded } from '../../activities/caption-source.ts';
import { createEncodeActivities, KeptCaptions } from '../../activities/index.ts';
import type { Picture } from '../../domain/job.ts';
import type { ObjectSeal } from '../../encryption/object-seal.ts';
import { loadCaptionEncoder, openBundle, promptReader, type RequestCaptions } from '../../models/pixart/index.ts';
import type { RenderRequest } from '../../models/pixart/render-request.ts';
import type { Encoder } from '../../models/renderer/index.ts';
import { type ObjectStore, openStore } from '../../store/index.ts';
import type { EncodedCaptions } from '../../workflows/contract/activities.ts';
import { TINY_BUNDLE } from '../models/renderer/tiny-renderer.ts';
import { BATCH, folderStore, tinyJob } from './rendering.ts';

type ProcessOptions = { hasEncoder?: boolean; encode?: Encoder['encode']; seal?: ObjectSeal };

type Asking = { where?: ObjectStore; signal?: AbortSignal; onEncoded?: OnEncoded };

export const never = new AbortController().signal;

export const request = (changes: Partial<Picture & { id: string }> = {}) =>
  tinyJob('ab'.repeat(32), { negativePrompt: '', ...changes });

/** Four jobs with three prompts. */
export const jobs = () =>
  ['a fox', 'a fox', 'an owl', 'a hen'].map((prompt, i) => request({ id: `job-${i}`, prompt, seed: i }));

async function loadBundle() {
  const bundle = await openBundle(TINY_BUNDLE);
  const networks = await loadCaptionEncoder(bundle, { device: 'cpu', threads: 1 });
  return { bundle, reader: await promptReader(bundle), networks };
}

let loading: ReturnType<typeof loadBundle> | undefined;

/** An empty store, and the captions of processes that share it. */
export async function captionScene() {
  loading ??= loadBundle();
  const { bundle, reader, networks } = await loading;
  const store = await folderStore();
  /** Texts that were encoded, by all processes together. */
  const count = { encoded: 0 };
  const warnings: string[] = [];

  const newProcess = ({ hasEncoder = true, encode = networks.encode, seal }: ProcessOptions = {}): KeptCaptions =>
    new KeptCaptions({
      bundle,
      reader,
      seal,
      encoder: hasEncoder ? { encode, unusable: never, close: async () => {} } : null,
      log: { warn: (_about, message) => warnings.push(message) },
      onEncoded: () => {
        count.encoded += 1;
      },
    });

  async function kept(): Promise<string[]> {
    const names: string[] = [];
    for await (const { name } of store.list('captions/')) names.push(name);
    return names;
  }

  /** Changes a bit of a stored caption. @returns its bytes before */
  async function damage(name: string): Promise<Uint8Array> {
    const whole = await store.read(name);
    const damaged = Uint8Array.from(whole, (byte, i) => (i === 100 ? byte ^ 1 : byte));
    await store.replace(name, damaged, 'x');
    return whole;
  }

  /** Captions are stored in the background. */
  const stored = (number: number) => expect.poll(kept, { interval: 5 }).toHaveLength(number);

  /** The captions of a request, looked for in a store and encoded if they are not there. */
  async function captionsOf(captions: KeptCaptions, of: RenderRequest, asking: Asking = {}): Promise<RequestCaptions> {
    const { where = store, signal = never, onEncoded } = asking;
    const encodeMissing = await captions.source(where, of, signal);
    return encodeMissing(onEncoded);
  }

  const encodeInput = (captions: KeptCaptions, shard: string) => ({
    ...{ store: store.url, batch: BATCH, shard },
    ...{ from: 0, to: 4, encoder: captions.encoder },
  });

  /** Runs the activity that encodes a shard's texts ahead. */
  async function encodeAhead(captions: KeptCaptions, shard: string, changes = {}): Promise<EncodedCaptions> {
    const { encodeCaptions } = createEncodeActivities({ openStore, captions });
    const input = { ...encodeInput(captions, shard), ...changes };
    return new MockActivityEnvironment().run(encodeCaptions, input);
  }

  const seen = { count, warnings, kept, stored };
  return { bundle, networks, store, ...seen, newProcess, damage, captionsOf, encodeInput, encodeAhead };
}
