import { AsyncLocalStorage } from 'node:async_hooks';

/** Where an image's time goes, in order. `wait` is for the device; the rest of the wait is Temporal's queue. */
export type Stage = 'wait' | 'text_encode' | 'denoise' | 'decode' | 'image_encode' | 'store';

/** Hears of the stages of the image that an activity makes. Times are those of tracing/span.ts. */
export type StageWatch = {
  stage(stage: Stage, startMs: number, endMs: number): void;
};

const current = new AsyncLocalStorage<StageWatch>();

/** Runs the work with a watch that hears of all stages in it, in whatever function they are. */
export const watched = <T>(watch: StageWatch, work: () => Promise<T>): Promise<T> => current.run(watch, work);

/** The watch of the activity in which this is called. */
export const currentWatch = (): StageWatch | undefined => current.getStore();
