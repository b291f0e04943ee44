import type { Client } from '@temporalio/client';
import { ObjectNotFound, type ObjectStore, type OpenStore, StoreUnavailable, shownPlace } from '../../store/index.ts';
import type { BatchEvent } from '../../workflows/contract/webhook.ts';
import { countFacts, reportFacts } from './batch-facts.ts';
import { batchLinks, type StoreLinks } from './links.ts';
import { bounded, type Message, type Picture, titleOf } from './message.ts';
import { scheduleNights } from './schedule-nights.ts';
import { sheetPicture } from './sheet-picture.ts';

export type ComposeDependencies = {
  openStore: OpenStore;
  links: StoreLinks;
  /** Of one device, in whatever currency. */
  costPerHour: number | undefined;
};

type ComposeOptions = {
  /** Where the receiver's program takes a picture from. */
  picture: Picture['kind'];
  client: Client;
  /** Whether what cannot be read now is waited for; otherwise the message goes without it. */
  isPatient: boolean;
};

/**
 * Composes the message: the event's own counts, what `report` says of the batch, thumbnails, and the nights of a schedule. What
 * cannot be read is left out, with a note: a message has to arrive.
 *
 * @throws StoreUnavailable where the store is away and that is waited for
 */
export async function compose(
  event: BatchEvent,
  { openStore, links, costPerHour }: ComposeDependencies,
  { picture, client, isPatient }: ComposeOptions,
): Promise<Message> {
  const { batch, store: url, manifest, contactSheet, schedule, reason } = event.data;
  const notes: string[] = [];
  const orNote = async <T>(what: string, read: () => Promise<T>): Promise<T | null> => {
    try {
      return await read();
    } catch (error) {
      if (isPatient && error instanceof StoreUnavailable) throw error;
      notes.push(`${what}: ${wordsOf(error)}`);
      return null;
    }
  };
  const store = await orNote('Nothing was read from the store', () => openStore(url));
  const report =
    store !== null && manifest
      ? await orNote('Time, cost and the reasons for failed rows are not known', () =>
          reportFacts(store, batch, costPerHour),
        )
      : null;
  const nights =
    store !== null && schedule !== undefined
      ? await orNote('The next run of the schedule is not known', () => scheduleNights(client, store, schedule, batch))
      : null;
  const thumbnails =
    store !== null && contactSheet
      ? await orNote('No thumbnails', () => thumbnailsOf(store, batch, contactSheet, picture, links))
      : null;
  if (thumbnails !== null && 'why' in thumbnails) notes.push(thumbnails.why);
  return bounded({
    title: titleOf(event),
    facts: [
      ...countFacts(event.data),
      ...(report?.facts ?? []),
      ...(nights?.next ?? []),
      { label: 'Store', value: shownPlace(url) },
    ],
    reason: reason ?? null,
    failures: report?.failures ?? [],
    nights: nights?.before ?? [],
    links: batchLinks(links, event.data),
    picture: thumbnails !== null && 'kind' in thumbnails ? thumbnails : null,
    notes,
  });
}

async function thumbnailsOf(
  store: ObjectStore,
  batch: string,
  sheet: string,
  kind: Picture['kind'],
  { publicUrl }: StoreLinks,
): Promise<Picture | { why: string }> {
  const urlOf = kind === 'public' ? publicUrl(store.url) : undefined;
  if (urlOf === null) return { why: 'No thumbnails: this store has no public address (PIXART_STORE_LINKS)' };
  return (
    (await sheetPicture(store, batch, sheet, urlOf)) ?? {
      why: 'No thumbnails: the contact sheet is too large for a message',
    }
  );
}

function wordsOf(error: unknown): string {
  if (error instanceof ObjectNotFound) return 'it is no longer in the store';
  return error instanceof Error ? error.message : String(error);
}
