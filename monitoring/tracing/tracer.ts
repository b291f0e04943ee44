import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace';
import { withoutSecrets } from '../../domain/secrets.ts';
import { collectorAddress } from './collector-address.ts';
import { readableSpan } from './readable-span.ts';
import type { Span } from './span.ts';

/** Accepts finished spans and sends them to a collector in batches, a few seconds later. */
export type Tracer = {
  record(span: Span): void;
  /** Sends everything not sent yet. Never throws: a trace is not worth a batch. */
  flush(): Promise<void>;
};

/** Called with a message for people. */
type Warn = (message: string) => void;

let shared: Tracer | null | undefined;

/**
 * This process's tracer, or `null` if OpenTelemetry's standard variables name no collector. Everything that traces asks
 * here first, so that an untraced process spends nothing on it.
 *
 * @throws UserError if the variables name an address that cannot be used
 */
export function processTracer(warn?: Warn): Tracer | null {
  if (shared === undefined) {
    const address = collectorAddress(process.env);
    shared = address === null ? null : createTracer(address, warn);
  }
  return shared;
}

/** A burst of a large batch; the SDK's 2,048 lose the end of one. */
const QUEUED_SPANS = 20_000;

/** The exporter retries for up to 10 s by default, which every command would wait for at its end while a collector is away. */
const TIMEOUT_MS = 2_000;

/**
 * Creates a tracer that OpenTelemetry's variables configure. `warn` is called once when the collector stops accepting
 * spans, and again only after it has accepted some.
 *
 * @param address the collector's, for messages
 */
export function createTracer(address: string, warn: Warn = process.emitWarning): Tracer {
  const resource = resourceFromAttributes({ 'service.name': 'pixart-batch' }).merge(
    detectResources({ detectors: [envDetector] }),
  );
  const { OTEL_EXPORTER_OTLP_TIMEOUT: isTimeoutSet } = process.env;
  const otlp = new OTLPTraceExporter({
    // A flush sends the whole queue at once; the exporter drops what is beyond its limit, 30 batches by default.
    concurrencyLimit: QUEUED_SPANS,
    ...(!isTimeoutSet && { timeoutMillis: TIMEOUT_MS }),
  });
  const exporter = warning(otlp, address, warn);
  const processor = new BatchSpanProcessor({ exporter, maxQueueSize: QUEUED_SPANS });
  return {
    record: (span) => processor.onEnd(readableSpan(span, resource)),
    async flush() {
      await processor.forceFlush().catch(() => {});
      // The processor does not wait for a batch that its timer sent.
      await otlp.forceFlush();
    },
  };
}

/** Reports failed exports to `warn`, not to OpenTelemetry's global handler, which says nothing unless a program sets it up. */
function warning(exporter: SpanExporter, address: string, warn: Warn): SpanExporter {
  let isRefused = false;
  return {
    export: (spans, done) =>
      exporter.export(spans, (result) => {
        const { error } = result;
        if (error !== undefined && !isRefused) {
          const message = `traces: ${address} does not accept spans (${error.message}); they are dropped until it does`;
          warn(withoutSecrets(message));
        }
        isRefused = error !== undefined;
        done(result);
      }),
    shutdown: () => exporter.shutdown(),
  };
}
