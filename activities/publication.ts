import type { Job } from '../domain/job.ts';
import type { PicturePlace } from '../pictures/index.ts';
import { type FoundObject, ObjectNotFound, StoreDenied, StoreUnavailable } from '../store/index.ts';
import type { RenderImageInput } from '../workflows/contract/activities.ts';
import { type Copied, copyToBatch, publishPicture } from './publish-picture.ts';
import type { PutCopy } from './signed-copy.ts';
import type { StageTimer } from './stage-timer.ts';

type PublicationOptions = {
  input: RenderImageInput;
  job: Job;
  place: PicturePlace;
  /** The picture, as it was found or as it was made. */
  picture: FoundObject | Uint8Array;
  /** Makes the batch's copy. */
  putCopy: PutCopy;
  timer: StageTimer;
};

/** `created`: the object is this attempt's. */
export type Published = Copied & { object: FoundObject; created: boolean };

/**
 * One picture's way into the store: its object, then the batch's copy. What is done stays done, however often the rest
 * is tried.
 */
export class Publication {
  /** URL of the store. */
  readonly store: string;
  readonly name: string;
  readonly bytes: number;
  readonly #options: PublicationOptions;
  readonly #made: Uint8Array | null;
  #found: FoundObject | null;
  #isTried = false;
  #created = false;

  constructor(options: PublicationOptions) {
    const { place, picture } = options;
    const isMade = picture instanceof Uint8Array;
    this.store = place.url;
    this.name = place.name;
    this.bytes = isMade ? picture.length : picture.bytes;
    this.#options = options;
    this.#made = isMade ? picture : null;
    this.#found = isMade ? null : picture;
  }

  /** @throws ObjectNotFound where the object went away that was found; as publishPicture and copyToBatch */
  async try(): Promise<Published> {
    const { input, job, timer, place, putCopy } = this.#options;
    try {
      const object = this.#found ?? (this.#isTried ? await place.find() : null) ?? (await this.#publish());
      const copied = await timer.measure('store', () => copyToBatch(object, input, job, putCopy));
      return { object, created: this.#created, ...copied };
    } finally {
      // Until it is tried again the object may go away, or somebody else may make it.
      this.#found = null;
      this.#isTried = true;
    }
  }

  /** Whether another try may succeed. An object that went away is made again, where its picture is here. */
  mayPass(error: unknown): error is Error {
    if (error instanceof ObjectNotFound) return this.#made !== null;
    return error instanceof StoreUnavailable || error instanceof StoreDenied;
  }

  async #publish(): Promise<FoundObject> {
    const { place, timer } = this.#options;
    const made = this.#made;
    if (made === null) throw new ObjectNotFound(`store ${place.url}: ${place.name} was removed before it was copied`);
    try {
      const { object, created } = await timer.measure('store', () => publishPicture(place, made));
      this.#created ||= created;
      return object;
    } catch (error) {
      // A store may have accepted an object although it reported an error: one found there later counts as ours.
      this.#created = true;
      throw error;
    }
  }
}
