import { contentType } from '../images/index.ts';
import { damagedName, objectName } from '../records/layout.ts';
import { type FoundObject, isRefusal, type ObjectStore } from '../store/index.ts';
import { pictureFault, type WantedPicture } from './fault.ts';
import { readRecord, recordMetadata, recordOf } from './record.ts';

/** An object that is not the image that its name promises. */
type Damaged = { object: FoundObject; fault: string };

/** The place of one image among a store's shared objects. */
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

  /** A damaged object that the last `find` found in the image's place. */
  get damaged(): Damaged | null {
    return this.#damaged;
  }

  /** The image, which has a record from then on; `null` if it is missing. @throws store errors */
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
   * Stores the picture with a record of it. A damaged object that `find` saw there is kept under a name that says so.
   *
   * @returns `null` if another process was faster: `find` returns what is there then
   * @throws as a store does
   */
  put(data: Uint8Array): Promise<FoundObject | null> {
    return putPicture(this.#store, this.#wanted, data, this.#damaged?.object ?? null);
  }

  /** If the record cannot be written now, the object is checked again the next time. */
  async #note(object: FoundObject): Promise<void> {
    try {
      await object.describe(recordMetadata({ ...contentOf(object), renderKey: this.#wanted.renderKey }));
    } catch (error) {
      if (!isRefusal(error)) throw error;
    }
  }
}

/** Like PicturePlace.put; `damaged` is the object found there. */
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
