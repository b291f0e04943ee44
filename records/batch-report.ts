import { SIZES, type Size } from '../domain/size.ts';
import { deviceSeconds, type ManifestRow, secondsOnDevice } from './manifest-table.ts';

/** Counts and times for the images of one size. Times are in seconds and cover rendered images, not reused ones. */
export type SizeReport = {
  size: Size;
  jobs: number;
  rendered: number;
  reused: number;
  failed: number;
  cancelled: number;
  bytes: number;
  /** The sum over all images: the time that one device would have needed. */
  deviceSeconds: number;
  /** From an image's start on the device to its end: the median and the 95th percentile. */
  median: number;
  p95: number;
  /** Each stage's share of the images' time on the device. */
  stages: { textEncode: number; denoise: number; decode: number };
};

/** Failures of one kind and wording; `reason` is the first one's. */
export type FailureGroup = { error: string; reason: string; jobs: number; ids: string[] };

/** Images rendered with less memory than usual, by the measure taken. */
export type ThriftGroup = { thrift: string; jobs: number; ids: string[] };

export type BatchReport = {
  thrifty: ThriftGroup[];
  sizes: SizeReport[];
  failures: FailureGroup[];
  slowest: { id: string; seconds: number }[];
};

const EXAMPLES = 5;
const SLOWEST = 5;

/** Sums up a batch's manifest table. */
export function batchReport(rows: readonly ManifestRow[]): BatchReport {
  const rendered = rows.filter(({ status }) => status === 'rendered');
  return {
    sizes: SIZES.map((size) => rows.filter((row) => row.size === size))
      .filter((ofSize) => ofSize.length > 0)
      .map(sizeReport),
    thrifty: thriftGroups(rendered),
    failures: failureGroups(rows.filter(({ status }) => status === 'failed')),
    slowest: rendered
      .map((row) => ({ id: row.id, seconds: secondsOnDevice(row) }))
      .sort((a, b) => b.seconds - a.seconds)
      .slice(0, SLOWEST),
  };
}

function sizeReport(rows: readonly ManifestRow[]): SizeReport {
  const count = (status: ManifestRow['status']): number => rows.filter((row) => row.status === status).length;
  const rendered = rows.filter(({ status }) => status === 'rendered');
  const seconds = rendered.map(secondsOnDevice).sort((a, b) => a - b);
  const total = sum(seconds);
  const share = (stage: 'text_encode_ms' | 'denoise_ms' | 'decode_ms'): number =>
    total === 0 ? 0 : sum(rendered.map((row) => row[stage] ?? 0)) / 1_000 / total;
  return {
    size: rows[0]!.size,
    jobs: rows.length,
    rendered: rendered.length,
    reused: count('reused'),
    failed: count('failed'),
    cancelled: count('cancelled'),
    bytes: sum(rows.map(({ bytes }) => bytes ?? 0)),
    deviceSeconds: sum(rendered.map(deviceSeconds)),
    median: quantile(seconds, 0.5),
    p95: quantile(seconds, 0.95),
    stages: { textEncode: share('text_encode_ms'), denoise: share('denoise_ms'), decode: share('decode_ms') },
  };
}

function thriftGroups(rows: readonly ManifestRow[]): ThriftGroup[] {
  const groups = new Map<string, string[]>();
  for (const { id, thrift } of rows) if (thrift !== null) groups.set(thrift, (groups.get(thrift) ?? []).concat(id));
  return [...groups].map(([thrift, ids]) => ({ thrift, jobs: ids.length, ids: ids.slice(0, EXAMPLES) }));
}

function failureGroups(rows: readonly ManifestRow[]): FailureGroup[] {
  const groups = new Map<string, ManifestRow[]>();
  for (const row of rows) {
    const kind = `${row.error}\n${wordingOf(row.reason ?? '')}`;
    const group = groups.get(kind);
    if (group === undefined) groups.set(kind, [row]);
    else group.push(row);
  }
  return [...groups.values()]
    .map((group) => ({
      error: group[0]!.error ?? '',
      reason: group[0]!.reason ?? '',
      jobs: group.length,
      ids: group.slice(0, EXAMPLES).map(({ id }) => id),
    }))
    .sort((a, b) => b.jobs - a.jobs);
}

/** Reasons name one image's object, bytes and positions; without those, reasons of one kind are equal. */
const wordingOf = (reason: string): string => reason.replace(/[0-9a-f]{16,}|[\d.,]+/g, '…');

const sum = (numbers: readonly number[]): number => numbers.reduce((total, number) => total + number, 0);

/** By nearest rank; 0 for an empty list. */
const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0;
