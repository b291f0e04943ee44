import type { Attributes, Span } from './span.ts';

/** OTLP's number for a span that is neither a call nor a message. */
const KIND_INTERNAL = 1;

const STATUS = { ok: 1, error: 2 };

/**
 * The body of an OTLP request: JSON, with ids in hexadecimal and 64-bit numbers as text
 * (opentelemetry-proto, docs/specification.md, "JSON Protobuf Encoding").
 */
export function otlpBody(spans: readonly Span[], resource: Attributes): string {
  return JSON.stringify({
    resourceSpans: [
      {
        resource: { attributes: keyValues(resource) },
        scopeSpans: [{ scope: { name: 'pixart-batch' }, spans: spans.map(otlpSpan) }],
      },
    ],
  });
}

const otlpSpan = ({ traceId, spanId, parentSpanId, name, startMs, endMs, attributes, error }: Span) => ({
  traceId,
  spanId,
  ...(parentSpanId === undefined ? {} : { parentSpanId }),
  name,
  kind: KIND_INTERNAL,
  startTimeUnixNano: nanoseconds(startMs),
  endTimeUnixNano: nanoseconds(endMs),
  attributes: keyValues(attributes),
  status: error === undefined ? { code: STATUS.ok } : { code: STATUS.error, message: error },
});

/** Microseconds are exact in a double, nanoseconds since 1970 are not. */
const nanoseconds = (ms: number): string => `${Math.round(ms * 1_000)}000`;

const keyValues = (attributes: Attributes) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: Attributes[string]) {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  return Number.isInteger(value) ? { intValue: String(value) } : { doubleValue: value };
}
