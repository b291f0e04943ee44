import { table as markdownTable } from '../../infra/reference/markdown.ts';

/** The goal: how many times better than the peer, or a bound for our own median in the line's unit. */
export type Goal =
  | { ratio: number }
  | { atMost: number }
  | { atLeast: number }
  | { between: readonly [number, number] };

/** One line of the table: our figures and a peer's for the same thing. */
export type Line = {
  what: string;
  unit: string;
  /** One value for each run, in turn with the peer's; the table shows medians, and of none "not measured". */
  ours: number[];
  peer?: { name: string; runs: number[] };
  /** Whether higher is better, as with images a minute; default: lower is. */
  moreIsBetter?: boolean;
  goal?: Goal;
  /** Anything else needed to interpret the line: errors, memory, pages. */
  note?: string;
};

/** @throws Error without a value: a part that measured nothing has no line */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new Error('expected at least one run to take a median of');
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** How many times better we are than the peer; undefined if there is none, or one of us was not measured. */
export function ratio({ ours, peer, moreIsBetter = false }: Line): number | undefined {
  if (peer === undefined || ours.length === 0 || peer.runs.length === 0) return undefined;
  return moreIsBetter ? median(ours) / median(peer.runs) : median(peer.runs) / median(ours);
}

/** Whether the medians reach the goal; undefined if there is none, or nothing to compare with it. */
export function isMet(line: Line): boolean | undefined {
  const { goal, ours } = line;
  if (goal === undefined || ours.length === 0) return undefined;
  if ('ratio' in goal) {
    const reached = ratio(line);
    return reached === undefined ? undefined : reached >= goal.ratio;
  }
  const { atLeast, atMost } = boundsOf(goal);
  return median(ours) >= atLeast && median(ours) <= atMost;
}

function boundsOf(goal: Exclude<Goal, { ratio: number }>): { atLeast: number; atMost: number } {
  if ('between' in goal) return { atLeast: goal.between[0], atMost: goal.between[1] };
  return { atLeast: Number.NEGATIVE_INFINITY, atMost: Number.POSITIVE_INFINITY, ...goal };
}

const HEADING = ['what', 'unit', 'peer', 'peer, median', 'ours, median', 'ratio', 'goal', 'met', 'runs', 'note'];

/** The lines as a Markdown table. */
export function table(lines: readonly Line[]): string {
  return markdownTable(HEADING, lines.map(cells));
}

function cells(line: Line): string[] {
  const { what, unit, ours, peer, goal, note } = line;
  const met = isMet(line);
  return [
    what,
    unit,
    peer?.name ?? '',
    peer === undefined ? '' : medianText(peer.runs),
    medianText(ours),
    ratio(line)?.toFixed(2) ?? '',
    goal === undefined ? '' : goalText(goal),
    met === undefined ? '' : met ? 'yes' : 'no',
    String(ours.length),
    note ?? '',
  ];
}

function goalText(goal: Goal): string {
  if ('ratio' in goal) return `≥ ${goal.ratio}×`;
  if ('between' in goal) return goal.between.join(' to ');
  return 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`;
}

const medianText = (runs: readonly number[]): string => (runs.length === 0 ? 'not measured' : figure(median(runs)));

/** Three significant digits, never in exponent notation. */
function figure(value: number): string {
  // Only the PSNR of two equal pictures is infinite.
  if (value === Number.POSITIVE_INFINITY) return 'same bytes';
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
