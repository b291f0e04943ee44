import { contentType } from '../images/index.ts';
import { damagedName, objectName } from '../records/layout.ts';
import type { FoundObject, ObjectStore } from '../store/index.ts';
import { pictureFault, type WantedPicture } from './fault.ts';
import { recordMetadata, recordOf } from './record.ts';

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

  /** The picture; `null` where it is not there. @throws as a store does */
  async find(): Promise<FoundObject | null> {
    const object = await this.#store.find(this.name);
    const fault = object && (await pictureFault(object, this.#wanted));
    this.#damaged = object === null || fault === null ? null : { object, fault };
    return fault === null ? object : null;
  }

  /**
   * Puts the picture into its place, with a record of it. What `find` saw there is kept under a name that says that it is damaged.
   *
   * @returns `null` where somebody else was quicker: `find` tells what is there then
   * @throws as a store does
   */
  async put(data: Uint8Array): Promise<FoundObject | null> {
    const { renderKey, format } = this.#wanted;
    const content = { data, contentType: contentType(format), metadata: recordMetadata(recordOf(data, renderKey)) };
    if (this.#damaged !== null) {
      const { object } = this.#damaged;
      return object.supersede(damagedName(this.name, object.version), content);
    }
    const { created, stat } = await this.#store.create(this.name, data, content.contentType, content.metadata);
    return created ? stat : null;
  }
}
