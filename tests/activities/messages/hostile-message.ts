import { bounded, type Message } from '../../../activities/messages/message.ts';

/** What would be markup, a mention or a header, where a receiver took texts for more than texts. */
export const HOSTILE =
  '<!channel> <@U123> *bold* _it_ [link](https://evil.example) <img src=x onerror="document.title=1"> & </td> @here :smile: \r\nBcc: all@evil.example';

/** As much of everything as there may be, of texts that are far too long. */
export function hostileMessage(change: Partial<Message> = {}): Message {
  const long = `${HOSTILE} ${'絵'.repeat(5_000)}`;
  const many = <T>(one: T): T[] => Array.from({ length: 30 }, () => one);
  return bounded({
    title: long,
    facts: many({ label: HOSTILE, value: long }),
    reason: long,
    failures: many({ what: long, ids: long }),
    nights: many({ label: long, value: long }),
    links: many({ label: 'Table', url: 'https://images.studio.example/batches/a%20b/manifest.csv?x=1&y="2"' }),
    picture: { kind: 'public', url: 'https://images.studio.example/batches/night/_sheet/message-0.jpg' },
    notes: many(long),
    ...change,
  });
}

/** A night as it mostly is. */
export const usualMessage: Message = {
  title: 'Batch nightly-20261130T210000Z completed, 2 failed',
  facts: [
    { label: 'Pictures', value: '118 of 120, 18 of them reused' },
    { label: 'Failed', value: '2' },
    { label: 'Catalog', value: 'since nightly-20261129T210000Z: 3 changed, 1 new, 0 gone, 116 unchanged' },
    { label: 'Device time', value: '1 h 2 min, planned about 58 min 12 s' },
    { label: 'Cost', value: '2.58, planned about 2.42' },
    { label: 'Next run', value: '2026-12-01 22:00 +01:00 (Europe/Berlin)' },
    { label: 'Store', value: 'gs://studio/images' },
  ],
  reason: null,
  failures: [
    { what: '2 × OutOfMemory: not enough memory on the device for 2048 px', ids: 'castle-at-dusk, harbour_old' },
  ],
  nights: [
    { label: '2026-11-29 22:00 +01:00', value: 'completed, 120 of 120, 117 of them reused' },
    { label: '2026-11-28 22:00 +01:00', value: 'completed, 1 failed, 119 of 120' },
  ],
  links: [
    { label: 'Review page', url: 'https://images.studio.example/batches/nightly-20261130T210000Z/contact-sheet.html' },
    { label: 'Table', url: 'https://images.studio.example/batches/nightly-20261130T210000Z/manifest-1.csv' },
  ],
  picture: null,
  notes: [],
};
