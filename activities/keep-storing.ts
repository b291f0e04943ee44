import type { Logger } from '@temporalio/common';
import { ridOfSecrets } from '../domain/secrets.ts';
import type { Size } from '../domain/size.ts';
import { STORING_HOURS } from '../workflows/contract/limits.ts';
import type { Heartbeats } from './heartbeats.ts';
import type { HeldPictures } from './held-pictures.ts';
import type { Publication } from './publication.ts';
import type { RenderStop } from './render-stop.ts';
import { tellingSilence } from './store-silence.ts';

type Keeping = {
  held: HeldPictures;
  /** The picture's, in this process. */
  key: string;
  size: Size;
  /** What ends the wait; a try that is under way is awaited for the worker's grace time. */
  stop: RenderStop;
  heartbeats: Heartbeats;
  log: Pick<Logger, 'info' | 'warn'>;
};

/**
 * Publishes a picture. Where its store refuses it for now, the attempt that has it keeps trying, since it is nowhere
 * else: without the device, and without its place among the images that the worker has in hand.
 *
 * @throws NotStored after STORING_HOURS; the stop's reason; errors that retrying cannot fix
 */
export async function keepStoring(publication: Publication, { held, key, size, stop, heartbeats, log }: Keeping) {
  const once = () =>
    Promise.race([tellingSilence(heartbeats, publication.store, () => publication.try()), stop.leave]).catch(
      (error: unknown) => {
        // It is told in heartbeats, which are kept as failures are.
        throw ridOfSecrets(error);
      },
    );
  try {
    return await once();
  } catch (error) {
    if (!publication.mayPass(error)) throw error;
    heartbeats.waitFor(error.message);
    const { name, bytes } = publication;
    log.warn('the store refused an image; it is held in memory and retried', { picture: name, bytes, error });
  }
  const until = Date.now() + 3_600_000 * STORING_HOURS;
  const line = held.line(publication.store);
  const published = await held.whileHeld({ key, size, bytes: publication.bytes }, async () => {
    for (;;) {
      try {
        return await line.ask(once, stop.signal);
      } catch (error) {
        if (!publication.mayPass(error)) throw error;
        if (Date.now() > until) throw new NotStored(error);
        heartbeats.waitFor(error.message);
      }
    }
  });
  log.info('the store accepted an image that it had refused', { picture: publication.name });
  return published;
}

/** The picture was rendered and is lost: its store refused it for the whole time that we wait. */
export class NotStored extends Error {
  override readonly name = 'NotStored';

  constructor({ message }: Error) {
    super(`the image was rendered, but its store refused it for ${STORING_HOURS} hours: ${message}`);
  }
}
