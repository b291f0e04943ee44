/** How a trace travels with workflows and activities: a Temporal header in the form of W3C Trace Context. */
import { defaultPayloadConverter, type Headers } from '@temporalio/common';

const TRACE_HEADER = 'traceparent';

/** 32 and 16 hexadecimal digits. */
export type TraceParent = { traceId: string; spanId: string };

export const withTrace = (headers: Headers, { traceId, spanId }: TraceParent): Headers => ({
  ...headers,
  [TRACE_HEADER]: defaultPayloadConverter.toPayload(`00-${traceId}-${spanId}-01`),
});

/** `null` where nobody traces, or where the header is another program's. */
export function traceOf(headers: Headers): TraceParent | null {
  const payload = headers[TRACE_HEADER];
  if (payload === undefined) return null;
  const text: unknown = defaultPayloadConverter.fromPayload(payload);
  const match = /^00-([0-9a-f]{32})-([0-9a-f]{16})-/.exec(String(text));
  return match === null ? null : { traceId: match[1]!, spanId: match[2]! };
}
