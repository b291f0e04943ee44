import { withoutSecrets } from '../../domain/secrets.ts';
import { otlpBody } from './otlp.ts';
import { type OtlpSettings, otlpSettings } from './otlp-settings.ts';
import type { Span } from './span.ts';

/** Takes finished spans and sends them to a collector, a few seconds later and many at once. */
export type Tracer = {
  record(span: Span): void;
  /** Sends what has not been sent yet. Never throws: a trace is not worth a batch. */
  flush(): Promise<void>;
};

const SEND_EVERY_MS = 2_000;
const SPANS_PER_REQUEST = 1_000;
/** Beyond it a collector is away, or too slow for us, and spans are dropped. */
const SPANS_KEPT = 20_000;
const REQUEST_TIMEOUT_MS = 10_000;

let shared: Tracer | null | undefined;

/**
 * This process's tracer; `null` where OpenTelemetry's standard variables do not name a collector. Everything that traces
 * asks here first, so that nothing is spent where nobody looks.
 *
 * @throws UserError where the variables say something that cannot be done
 */
export function processTracer(warn?: Warn): Tracer | null {
  if (shared === undefined) {
    const settings = otlpSettings(process.env);
    shared = settings === null ? null : createTracer(settings, warn);
  }
  return shared;
}

type Warn = (message: string) => void;

/** `warn` hears of a collector that does not take spans, once until it does again. */
export function createTracer({ url, headers, resource }: OtlpSettings, warn: Warn = process.emitWarning): Tracer {
  let waiting: Span[] = [];
  let timer: NodeJS.Timeout | undefined;
  let sending: Promise<void> = Promise.resolve();
  let refused = false;

  async function post(spans: Span[]): Promise<void> {
    // The first request on a connection that the collector has just closed, because it was idle, fails whatever is in it.
    const problem = (await send(spans)) && (await send(spans));
    if (problem !== null && !refused) {
      const message = `traces: ${url} does not take spans (${problem}); they are dropped until it does`;
      // A collector's keys are in its address or in the headers.
      warn(withoutSecrets(message, Object.values(headers)));
    }
    refused = problem !== null;
  }

  /** What went wrong, or `null`. */
  async function send(spans: Span[]): Promise<string | null> {
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': 'application/json' },
        body: otlpBody(spans, resource),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      await response.arrayBuffer();
      return response.ok ? null : `HTTP ${response.status}`;
    } catch (error) {
      return String((error as Error).cause ?? error);
    }
  }

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const spans = waiting;
    waiting = [];
    for (let from = 0; from < spans.length; from += SPANS_PER_REQUEST) {
      const part = spans.slice(from, from + SPANS_PER_REQUEST);
      sending = sending.then(() => post(part));
    }
    return sending;
  }

  return {
    record(span) {
      if (waiting.length >= SPANS_KEPT) return;
      waiting.push(span);
      // A process that has nothing else to do may end; who wants the last spans flushes.
      timer ??= setTimeout(flush, SEND_EVERY_MS).unref();
    },
    flush,
  };
}
