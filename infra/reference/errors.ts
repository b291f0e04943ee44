import { EXIT } from '../../cli/exit-codes.ts';
import { failuresTable } from './failures.ts';
import { table } from './markdown.ts';

const EXIT_MEANINGS: Record<keyof typeof EXIT, string> = {
  ok: 'done; of a batch: every image is there',
  unexpected: 'a fault of the program, with a stack trace: please report it; or set-up failed, with the reason',
  badInput: 'wrong usage, catalog, bundle or batch: the message says what was expected',
  imagesMissing:
    'the batch has ended and images or its manifest are missing: failed rows, a cancellation, no plan, no store; or `verify` found changed images, `export` left some out, `clean` or `forget` could not remove everything, or `schedule trigger` started nothing',
  unreachable: 'the Temporal server or the store cannot be used from here',
  interrupted: 'Ctrl-C; a batch that was watched continues',
  readerGone: 'the reader of the output has ended, as `head` does; a batch that was watched continues',
};

/** Exit codes, and the failure types in manifests and histories. */
export const errorsPage = (): string => `# Exit codes and failure types

## Exit codes

${table(
  ['code', 'meaning'],
  Object.entries(EXIT).map(([key, number]) => [String(number), EXIT_MEANINGS[key as keyof typeof EXIT]]),
)}

## Failure types

Manifests (\`failures\`), tables (\`error\`) and Temporal's histories name the type of a failure; the message beside it says what
was expected, what was found, where, and what to do. "Retried" says what happens to an image: it is tried again, up to seven
times in about ten minutes, or fails at once.

${failuresTable()}

Besides these:

- \`UserError\`, \`CatalogError\`: something for a person to correct, such as a size that the bundle does not serve. Not retried.
- \`Timeout\`: the worker stopped sending heartbeats, or an attempt took longer than any image may.
- \`ShardLost\`: a shard's workflow ended without reporting its images.
- \`CancelledFailure\`: the batch or the row was cancelled.
- \`WebhookGone\`, \`MailRefused\`: the receiver wants no more messages, or refuses all recipients. Of deliveries, not of images.
- Any other type, such as \`TypeError\`, is a fault of the program: please report it.
`;
