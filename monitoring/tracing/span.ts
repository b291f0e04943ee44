import { randomBytes } from 'node:crypto';

/** Where a span belongs, in the words of W3C Trace Context: 32 and 16 lower-case hexadecimal digits. */
export type TraceContext = { traceId: string; spanId: string };

export type Attributes = Record<string, string | number | boolean>;

/** What was done, from when to when, as part of what. Times are milliseconds since 1970, with fractions. */
export type Span = TraceContext & {
  parentSpanId?: string | undefined;
  name: string;
  startMs: number;
  endMs: number;
  attributes: Attributes;
  /** Why it failed; a span without it went well. */
  error?: string | undefined;
};

/** The clock of all spans: it never goes back within a process. */
export const clockMs = (): number => sinceEpoch(performance.now());

/** A time of `performance.now()` on that clock. */
export const sinceEpoch = (ms: number): number => performance.timeOrigin + ms;

export const newTrace = (): TraceContext => ({ traceId: randomBytes(16).toString('hex'), spanId: newSpanId() });

export const childOf = ({ traceId }: TraceContext): TraceContext => ({ traceId, spanId: newSpanId() });

const newSpanId = (): string => randomBytes(8).toString('hex');
