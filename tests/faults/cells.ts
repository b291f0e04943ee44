import { seededRandom } from '../chaos/random.ts';

/** The processes of a fleet, each with ways of its own to the store. */
export type Role = 'orchestrator' | 'encoder' | 'painter';

export type Fault =
  | '429'
  | '503'
  | 'reset'
  | 'hang'
  | 'partial write'
  | 'corrupted read'
  | 'disk full'
  | 'child killed'
  | 'worker killed'
  | 'out of memory'
  | 'tmpfs full'
  | 'clock +1 h'
  | 'clock -1 h';

export type StoreKind = 'folder' | 'bucket';

/** What an activity does to the store that nothing else of its process does. */
type Access = { on: 'read' | 'write'; name: RegExp };

export type Activity = {
  name: string;
  role: Role;
  write?: RegExp;
  read?: RegExp;
  /** It is asked for by a command while the batch runs. */
  asked?: 'pause' | 'cancel rows';
};

/** Every activity of the product, with the objects that only it writes, and those that it reads in its process. */
export const ACTIVITIES: Activity[] = [
  { name: 'planBatch', role: 'orchestrator', write: /\/_plan\// },
  { name: 'readShard', role: 'orchestrator', read: /\/_plan\/1-/ },
  { name: 'matchJobs', role: 'orchestrator', read: /\/_plan\/1-/, asked: 'cancel rows' },
  { name: 'activitiesInHand', role: 'orchestrator', asked: 'pause' },
  { name: 'encodersSeen', role: 'orchestrator' },
  { name: 'encodeCaptions', role: 'encoder', write: /captions\//, read: /\/_plan\/1-/ },
  { name: 'renderImage', role: 'painter', write: /objects\/[^/]+$/, read: /\/_plan\/1-/ },
  { name: 'writeReceipts', role: 'orchestrator', write: /\/_receipts\// },
  { name: 'writeManifest', role: 'orchestrator', write: /\/manifest/, read: /\/_receipts\// },
  { name: 'writeContactSheet', role: 'orchestrator', write: /\/contact-sheet\.webp/, read: /\/fox-\d+\.png$/ },
  { name: 'writeSheetPage', role: 'orchestrator', write: /\/contact-sheet\.html/, read: /\/fox-\d+\.png$/ },
  { name: 'postWebhook', role: 'orchestrator' },
];

/** In the order of the table's columns. */
export const FAULTS: Fault[] = [
  ...(['429', '503', 'reset', 'hang', 'partial write', 'corrupted read', 'disk full'] as const),
  ...(['child killed', 'worker killed', 'clock +1 h', 'clock -1 h', 'out of memory', 'tmpfs full'] as const),
];

export type Cell = { activity: string; fault: Fault; store: StoreKind };

export const idOf = ({ activity, fault, store }: Cell): string =>
  `${activity}-${fault}-${store}`.replaceAll(/[^A-Za-z0-9+-]+/g, '-').replace('+', 'plus-');

/**
 * What the fault is done to; `null` where the activity has nothing that could meet it. `anything` is done at a moment
 * of the seed's, `picture` when the first one is being computed.
 */
export function accessOf({ activity, fault, store }: Cell): Access | 'receiver' | 'anything' | 'picture' | null {
  const { name, role, write, read } = ACTIVITIES.find((one) => one.name === activity)!;
  const byNetwork = ['429', '503', 'reset', 'hang'].includes(fault);
  const access: Access | null = write ? { on: 'write', name: write } : read ? { on: 'read', name: read } : null;
  // What the kernel does itself, of which the other columns are imitations: once each.
  if (fault === 'out of memory') return name === 'renderImage' ? 'picture' : null;
  if (fault === 'tmpfs full') return name === 'renderImage' && store === 'folder' ? 'picture' : null;
  if (fault === 'child killed' && role === 'orchestrator') return null;
  if (name === 'postWebhook') return byNetwork || !isOfStore(fault) ? 'receiver' : null;
  if (store === 'folder' && ['429', '503', 'reset'].includes(fault)) return null;
  if (store === 'bucket' && fault === 'disk full') return null;
  if (fault === 'corrupted read') return read ? { on: 'read', name: read } : null;
  if (fault === 'partial write' || fault === 'disk full') return write ? { on: 'write', name: write } : null;
  if (access === null) return isOfStore(fault) ? null : 'anything';
  return access;
}

const isOfStore = (fault: Fault): boolean => FAULTS.indexOf(fault) <= FAULTS.indexOf('disk full');

/** Every cell in which there is something to find out, in the seed's order. */
export function cells(seed: number): Cell[] {
  const all = (['bucket', 'folder'] as const).flatMap((store) =>
    ACTIVITIES.flatMap(({ name: activity }) => FAULTS.map((fault) => ({ activity, fault, store }))),
  );
  const random = seededRandom(seed);
  return all
    .filter((cell) => accessOf(cell) !== null)
    .map((cell) => ({ cell, place: random.between(0, 1_000_000) }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ cell }) => cell);
}
