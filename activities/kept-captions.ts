import { LRUCache } from 'lru-cache';
import { UserError } from '../domain/user-error.ts';
import { type ObjectSeal, PLAIN_OBJECTS } from '../encryption/object-seal.ts';
import { SEAL_BYTES_AT_MOST } from '../encryption/sealed.ts';
import {
  type Bundle,
  type Caption,
  type CaptionOwner,
  captionKey,
  decodeCaption,
  encodeCaption,
  encoderDigest,
  largestCaption,
  type PromptReader,
  requestCaptions,
  textsOf,
} from '../models/pixart/index.ts';
import { type Encoder, untilAborted } from '../models/renderer/index.ts';
import { captionName } from '../records/layout.ts';
import { isRefusal, type ObjectStore, readIfThere } from '../store/index.ts';
import type { CaptionSource, OnEncoded } from './caption-source.ts';
import { CaptionSweep } from './caption-sweep.ts';

type KeptCaptionsOptions = {
  bundle: Bundle;
  reader: PromptReader;
  /** `null` if this process has no text encoder and uses captions that other workers stored. */
  encoder: Encoder | null;
  /** Encrypts captions in the store; default: they are stored as they are. */
  seal?: ObjectSeal | undefined;
  log: { warn(about: object, message: string): void };
  /** Called for every text that was encoded. */
  onEncoded?: (() => void) | undefined;
};

/** Several hundred captions of the largest models: variants of a row share their prompt, most jobs their negative prompt. */
const RECENT_BYTES = 64 * 2 ** 20;

/** How long a store that refused a caption is left alone: images do not need it, and each would be delayed by trying. */
const REFUSED_MS = 60_000;

/**
 * Captions, by the tokens of their texts: from memory, from the store, or from the encoder, whose work is stored for the
 * whole fleet. Requests for the same text at the same time share the work.
 */
export class KeptCaptions {
  /** The digest of the bundle's text encoder. */
  readonly encoder: string;
  readonly #options: KeptCaptionsOptions;
  readonly #width: number;
  readonly #seal: ObjectSeal;
  readonly #recent = new LRUCache<string, Caption>({
    maxSize: RECENT_BYTES,
    sizeCalculation: ({ states }) => Math.max(1, states.byteLength),
  });
  readonly #finding = new Map<string, Promise<Caption | null>>();
  readonly #encoding = new Map<string, Promise<Caption>>();
  readonly #sweep: CaptionSweep;
  #refusedUntil = 0;

  constructor(options: KeptCaptionsOptions) {
    const { description } = options.bundle;
    this.#options = options;
    this.encoder = encoderDigest(description);
    this.#width = description.transformer.heads * description.transformer.headWidth;
    this.#seal = options.seal ?? PLAIN_OBJECTS;
    this.#sweep = new CaptionSweep(options.log);
  }

  readonly source: CaptionSource = async (store, request, signal) => {
    const found = new Map<string, Caption>();
    for (const text of textsOf(request)) {
      const caption = await untilAborted(this.#seek(store, this.#read(text)), signal);
      if (caption !== null) found.set(text, caption);
      else if (this.#options.encoder === null) throw new CaptionNotKept(this.#options.bundle);
    }
    return (onEncoded) =>
      requestCaptions(
        request,
        async (text) => found.get(text) ?? untilAborted(this.#make(store, this.#read(text), onEncoded), signal),
      );
  };

  /** Whether a text has more tokens than the model reads. */
  isTruncated(text: string): boolean {
    return this.#options.reader.look(text).isCut;
  }

  /** Whether the store has something under the name at which every worker with the current key looks for a text's caption. */
  async isKept(store: ObjectStore, text: string): Promise<boolean> {
    return (await store.stat(this.#read(text).names[0])) !== null;
  }

  /**
   * Stores a text's caption, encoding it if nobody has. A caption that was stored with an earlier key is stored with the
   * current key too.
   *
   * @throws StoreUnavailable and UserError if it cannot be stored, or the encoder returns numbers that do not fit;
   * RendererDied; RenderFault; the signal's reason
   */
  async keep(store: ObjectStore, text: string, signal: AbortSignal): Promise<void> {
    const read = this.#read(text);
    const caption =
      this.#recent.get(read.key) ??
      (await this.#find(store, read, read.names.slice(1))) ??
      (await untilAborted(this.#encode(read), signal));
    this.#recent.set(read.key, caption);
    await this.#write(store, read, caption);
  }

  #read(text: string): ReadText {
    const { ids } = this.#options.reader.read(text);
    const key = captionKey(this.encoder, ids);
    const [current, ...others] = this.#seal.digests(key);
    const nameOf = (digest: string): string => captionName(this.encoder, digest);
    return { ids, key, names: [nameOf(current), ...others.map(nameOf)], tokens: ids.length, width: this.#width };
  }

  /** The caption, if it is in memory or in this store. Requests share a look at one store only: another may not answer. */
  async #seek(store: ObjectStore, read: ReadText): Promise<Caption | null> {
    const recent = this.#recent.get(read.key);
    if (recent !== undefined) return recent;
    const place = `${store.url} ${read.key}`;
    const finding = this.#finding.get(place) ?? this.#find(store, read, read.names);
    this.#finding.set(place, finding);
    try {
      const found = await finding;
      if (found !== null) this.#recent.set(read.key, found);
      return found;
    } finally {
      this.#finding.delete(place);
    }
  }

  /** Encodes a text whose caption was not found. The image does not wait until it is stored: the store may be silent. */
  async #make(store: ObjectStore, read: ReadText, onEncoded?: OnEncoded): Promise<Caption> {
    const recent = this.#recent.get(read.key);
    if (recent !== undefined) return recent;
    const isShared = this.#encoding.has(read.key);
    const caption = await this.#encode(read, onEncoded);
    this.#recent.set(read.key, caption);
    if (!isShared) void this.#keepIfTaken(store, read, caption);
    return caption;
  }

  /** The stored caption; `null` if there is none, or it cannot be trusted. */
  async #find(store: ObjectStore, read: ReadText, names: readonly string[]): Promise<Caption | null> {
    for (const name of names) {
      const found = await this.#findAt(store, read, name);
      if (found !== null) return found;
    }
    return null;
  }

  async #findAt(store: ObjectStore, read: ReadText, name: string): Promise<Caption | null> {
    try {
      const bytes = await readIfThere(store, name, largestCaption(read) + SEAL_BYTES_AT_MOST);
      if (bytes === null) return null;
      const opened = this.#seal.open(bytes, name);
      const found = typeof opened === 'string' ? opened : decodeCaption(read, opened);
      if (typeof found !== 'string') return found;
      this.#options.log.warn({ caption: name, reason: found }, 'a stored caption is damaged; it is encoded again');
      await store.remove(name);
    } catch (error) {
      // A worker that can encode the text needs no store for it.
      if (!isRefusal(error) || this.#options.encoder === null) throw error;
      this.#options.log.warn({ caption: name, err: error }, 'a stored caption cannot be read; it is encoded again');
    }
    return null;
  }

  /** Joins an encoding in progress: the activity that encodes ahead may have begun the text that an image needs. */
  async #encode(read: ReadText, onEncoded?: OnEncoded): Promise<Caption> {
    const encoding = this.#encoding.get(read.key) ?? this.#encodeAlone(read, onEncoded);
    this.#encoding.set(read.key, encoding);
    try {
      return await encoding;
    } finally {
      this.#encoding.delete(read.key);
    }
  }

  async #encodeAlone({ ids, tokens, width }: ReadText, onEncoded?: OnEncoded): Promise<Caption> {
    const { encoder, bundle, onEncoded: count } = this.#options;
    if (encoder === null) throw new CaptionNotKept(bundle);
    const caption = await encoder.encode(ids, { onEncoded });
    count?.();
    if (caption.states.length !== tokens * width) throw unfit(bundle, caption, { tokens, width });
    return caption;
  }

  /** Stores a caption unless the store refuses. Nobody waits for it, so it never rejects. */
  async #keepIfTaken(store: ObjectStore, read: ReadText, caption: Caption): Promise<void> {
    if (performance.now() < this.#refusedUntil) return;
    try {
      await this.#write(store, read, caption);
    } catch (error) {
      const isKnown = performance.now() < this.#refusedUntil;
      this.#refusedUntil = performance.now() + REFUSED_MS;
      if (!isKnown) this.#options.log.warn({ store: store.url, err: error }, 'captions cannot be stored for now');
    }
  }

  async #write(store: ObjectStore, read: ReadText, caption: Caption): Promise<void> {
    const [name] = read.names;
    await store.create(name, this.#seal.close(encodeCaption(read, caption), name), 'application/octet-stream');
    this.#sweep.afterWrite(store);
  }
}

/** A text's tokens, and where its caption is stored. */
type ReadText = CaptionOwner & {
  ids: number[];
  /** The caption's name with each key; new ones are written under the first. */
  names: [string, ...string[]];
};

/** The parts of a bundle do not belong together. */
const unfit = ({ description, folder }: Bundle, { states }: Caption, { tokens, width }: Omit<CaptionOwner, 'key'>) =>
  new UserError(
    `bundle ${description.name} in ${folder}: expected its text encoder and caption projection to return ${tokens} × ${width} numbers ` +
      `for a text of ${tokens} tokens, found ${states.length}. Export the checkpoint again (docs/exporting.md)`,
  );

/** Nobody has encoded a text yet, and this worker cannot; a retry succeeds once a worker with the text encoder has. */
export class CaptionNotKept extends Error {
  override readonly name = 'CaptionNotKept';

  constructor({ description }: Bundle) {
    super(
      "an image's text has not been encoded yet, and this worker has no text encoder: it waits for one that has " +
        `("npx pixart-batch worker --encoder --bundle ${description.name}" starts one)`,
    );
  }
}
