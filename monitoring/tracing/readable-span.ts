import { type HrTime, SpanKind, SpanStatusCode, TraceFlags } from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Span } from './span.ts';

/**
 * Turns one of our finished spans into OpenTelemetry's. The SDK's own tracer cannot record them: a workflow's span has an
 * id derived from its run, so that a replay yields the same one, and its times come from the workflow's history.
 */
export const readableSpan = (span: Span, resource: Resource): ReadableSpan => ({
  name: span.name,
  kind: SpanKind.INTERNAL,
  spanContext: () => ({ traceId: span.traceId, spanId: span.spanId, traceFlags: TraceFlags.SAMPLED }),
  ...(span.parentSpanId !== undefined && {
    parentSpanContext: { traceId: span.traceId, spanId: span.parentSpanId, traceFlags: TraceFlags.SAMPLED },
  }),
  startTime: hrTime(span.startMs),
  endTime: hrTime(span.endMs),
  duration: hrTime(span.endMs - span.startMs),
  status: span.error === undefined ? { code: SpanStatusCode.OK } : { code: SpanStatusCode.ERROR, message: span.error },
  attributes: span.attributes,
  links: [],
  events: [],
  ended: true,
  resource,
  instrumentationScope: { name: 'pixart-batch' },
  droppedAttributesCount: 0,
  droppedEventsCount: 0,
  droppedLinksCount: 0,
});

/** Seconds and nanoseconds. Microseconds since 1970 are exact in a double, nanoseconds are not. */
function hrTime(ms: number): HrTime {
  const micros = Math.round(ms * 1_000);
  return [Math.floor(micros / 1_000_000), (micros % 1_000_000) * 1_000];
}
