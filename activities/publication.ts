import type { Job } from '../domain/job.ts';
import type { PicturePlace } from '../pictures/index.ts';
import { type FoundObject, ObjectChanged, ObjectNotFound, StoreDenied, StoreUnavailable } from '../store/index.ts';
import type { RenderImageInput } from '../workflows/contract/activities.ts';
import { copyToBatch, publishPicture } from './publish-picture.ts';
import type { StageTimer } from './stage-timer.ts';

export type PublicationOptions = {
  input: RenderImageInput;
  job: Job;
  place: PicturePlace;
  /** The picture, as it was found or as it was made. */
  picture: FoundObject | Uint8Array;
  timer: StageTimer;
};

/** `created`: the object is this attempt's. */
export type Published = { object: FoundObject; created: boolean; copy: string };

/** One picture's way into the store: its object, then the batch's copy. What is done stays done, however often the rest is tried. */
export class Publication {
  /** URL of the store. */
  readonly store: string;
  readonly name: string;
  readonly bytes: number;
  readonly #options: PublicationOptions;
  readonly #made: Uint8Array | null;
  #object: FoundObject | null;
  #created = false;
  #isRefused = false;

  constructor(options: PublicationOptions) {
    const { place, picture } = options;
    this.store = place.url;
    this.name = place.name;
    this.#options = options;
    this.#made = picture instanceof Uint8Array ? picture : null;
    this.#object = picture instanceof Uint8Array ? null : picture;
    this.bytes = picture instanceof Uint8Array ? picture.length : picture.bytes;
  }

  /** @throws as publishPicture and copyToBatch */
  async try(): Promise<Published> {
    const { input, job, timer } = this.#options;
    this.#object ??= await timer.measure('store', () => this.#publish(this.#made!));
    const object = this.#object;
    try {
      const copy = await timer.measure('store', () => copyToBatch(object, input, job));
      return { object, created: this.#created, copy };
    } catch (error) {
      if (this.#made !== null && isGone(error)) this.#object = null;
      throw error;
    }
  }

  /** Whether another try may succeed. An object that went away is made again from the picture, where that was made here. */
  mayPass(error: unknown): error is Error {
    if (isGone(error)) return this.#made !== null;
    return error instanceof StoreUnavailable || error instanceof StoreDenied;
  }

  async #publish(picture: Uint8Array): Promise<FoundObject> {
    try {
      const { object, created } = await publishPicture(this.#options.place, picture);
      // A store may have taken what it said that it refused.
      this.#created ||= created || this.#isRefused;
      return object;
    } catch (error) {
      this.#isRefused = true;
      throw error;
    }
  }
}

const isGone = (error: unknown): boolean => error instanceof ObjectChanged || error instanceof ObjectNotFound;
