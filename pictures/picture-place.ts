import { contentType } from '../images/index.ts';
import { damagedName, objectName } from '../records/layout.ts';
import { type FoundObject, isRefusal, type ObjectStore } from '../store/index.ts';
import { pictureFault, type WantedPicture } from './fault.ts';
import { readRecord, recordMetadata, recordOf } from './record.ts';

/** An object that is not the picture which its name promises. */
export type Damaged = { object: FoundObject; fault: string };

/** The place of one picture among a store's shared objects. */
export class PicturePlace {
  readonly name: string;
  readonly #store: ObjectStore;
  readonly #wanted: WantedPicture;
  #damaged: Damaged | null = null;

  constructor(store: ObjectStore, wanted: WantedPicture) {
    this.name = objectName(wanted.renderKey, wanted.format);
    this.#store = store;
    this.#wanted = wanted;
  }

  get url(): string {
    return this.#store.url;
  }

  /** What was in the picture's place when `find` looked last, and is none. */
  get damaged(): Damaged | null {
    return this.#damaged;
  }

  /** The picture, with a record of it from now on; `null` where it is not there. @throws as a store does */
  async find(): Promise<FoundObject | null> {
    this.#damaged = null;
    const object = await this.#store.find(this.name);
    if (object === null) return null;
    const record = readRecord(await object.metadata());
    const fault = await pictureFault(object, record, this.#wanted);
    if (fault !== null) {
      this.#damaged = { object, fault };
      return null;
    }
    if (record === null) await this.#note(object);
    return object;
  }

  /**
   * Puts the picture into its place, with a record of it. What `find` saw there is kept under a name that says that it is damaged.
   *
   * @returns `null` where somebody else was quicker: `find` tells what is there then
   * @throws as a store does
   */
  put(data: Uint8Array): Promise<FoundObject | null> {
    return putPicture(this.#store, this.#wanted, data, this.#damaged?.object ?? null);
  }

  /** What cannot be noted now is found out again the next time. */
  async #note(object: FoundObject): Promise<void> {
    try {
      await object.describe(recordMetadata({ ...contentOf(object), renderKey: this.#wanted.renderKey }));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
}

/** As PicturePlace.put, where `damaged` is what was found there. */
export async function putPicture(
  store: ObjectStore,
  { renderKey, format }: WantedPicture,
  data: Uint8Array,
  damaged: FoundObject | null,
): Promise<FoundObject | null> {
  const content = { data, contentType: contentType(format), metadata: recordMetadata(recordOf(data, renderKey)) };
  if (damaged !== null) return damaged.supersede(damagedName(damaged.name, damaged.version), content);
  const name = objectName(renderKey, format);
  const { created, stat } = await store.create(name, data, content.contentType, content.metadata);
  return created ? stat : null;
}

const contentOf = ({ bytes, crc32c }: FoundObject) => ({ bytes, crc32c });
