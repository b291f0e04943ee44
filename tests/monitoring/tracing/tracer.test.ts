import { expect, onTestFinished, test, vi } from 'vitest';
import { childOf, clockMs, newTrace, type Span } from '../../../monitoring/tracing/span.ts';
import { createTracer } from '../../../monitoring/tracing/tracer.ts';
import { attributesOf, startCollector } from '../collector.ts';

const span = (changes: Partial<Span> = {}): Span => ({
  ...newTrace(),
  name: 'render',
  startMs: 1_700_000_000_000.25,
  endMs: 1_700_000_000_001,
  attributes: { job: 'fox', attempt: 2, share: 0.5, last: true },
  ...changes,
});

function tracerTo(address: string, env: Record<string, string> = {}) {
  for (const [name, value] of Object.entries({ OTEL_EXPORTER_OTLP_ENDPOINT: address, ...env })) vi.stubEnv(name, value);
  onTestFinished(() => void vi.unstubAllEnvs());
  const warnings: string[] = [];
  return { warnings, tracer: createTracer(address, (message) => warnings.push(message)) };
}

async function collectorWith(status?: number, env?: Record<string, string>) {
  const collector = await startCollector(status);
  onTestFinished(() => collector.close());
  return { collector, ...tracerTo(collector.endpoint, env) };
}

test('spans arrive whole, with exact times, types and headers', async () => {
  const { collector, tracer } = await collectorWith(200, {
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=k%20k',
    OTEL_RESOURCE_ATTRIBUTES: 'service.name=other,deployment.environment=night',
    OTEL_SERVICE_NAME: 'renderers',
  });
  const parent = span();
  tracer.record(parent);
  tracer.record(span({ ...childOf(parent), parentSpanId: parent.spanId, error: 'RenderFault' }));
  await tracer.flush();
  const [first, second] = collector.spans;
  expect(first).toMatchObject({ traceId: parent.traceId, spanId: parent.spanId, name: 'render', status: { code: 1 } });
  expect(first).not.toHaveProperty('parentSpanId');
  expect([first?.startTimeUnixNano, first?.endTimeUnixNano]).toEqual(['1700000000000250000', '1700000000001000000']);
  expect(attributesOf(first!)).toEqual({ job: 'fox', attempt: 2, share: 0.5, last: true });
  expect(second).toMatchObject({ parentSpanId: parent.spanId, status: { code: 2, message: 'RenderFault' } });
  expect(collector.requests).toHaveLength(1);
  expect(collector.requests[0]).toMatchObject({ url: '/v1/traces', headers: { 'x-key': 'k k' } });
  const { attributes } = collector.requests[0]!.body.resourceSpans[0]!.resource;
  expect(attributesOf({ attributes })).toEqual({
    'service.name': 'renderers',
    'deployment.environment': 'night',
  });
});

test('spans are named for this product unless the variables say otherwise', async () => {
  const { collector, tracer } = await collectorWith();
  tracer.record(span());
  await tracer.flush();
  const { attributes } = collector.requests[0]!.body.resourceSpans[0]!.resource;
  expect(attributesOf({ attributes })).toEqual({ 'service.name': 'pixart-batch' });
});

test('a burst of spans arrives whole, each once', async () => {
  const { collector, tracer, warnings } = await collectorWith();
  // As many as are kept.
  for (let index = 0; index < 20_000; index += 1) tracer.record(span());
  await tracer.flush();
  expect(warnings).toEqual([]);
  expect(collector.spans).toHaveLength(20_000);
  expect(new Set(collector.spans.map(({ spanId }) => spanId)).size).toBe(20_000);
});

test('a collector that refuses is reported once, and never stops the work', async () => {
  const { warnings, tracer } = await collectorWith(400);
  for (let times = 0; times < 3; times += 1) {
    tracer.record(span());
    await tracer.flush();
  }
  expect(warnings).toEqual([expect.stringContaining('Bad Request')]);
});

test('spans that a connection lost arrive by the next one', async () => {
  const { collector, tracer, warnings } = await collectorWith();
  collector.cutNext();
  tracer.record(span());
  await tracer.flush();
  expect(collector.spans).toHaveLength(1);
  expect(warnings).toEqual([]);
});

test('a collector that is not there never stops the work either', async () => {
  const { collector, warnings, tracer } = await collectorWith();
  await collector.close();
  tracer.record(span());
  await tracer.flush();
  expect(warnings).toEqual([expect.stringMatching(/^traces: http:\/\/127.* does not accept spans \(.*ECONNREFUSED/)]);
});

test('spans that cannot be sent do not fill the memory', async () => {
  const { collector, tracer } = await collectorWith();
  const one = span();
  for (let index = 0; index < 30_000; index += 1) tracer.record(one);
  await tracer.flush();
  // Those of the queue, and the batch on its way.
  expect(collector.spans.length).toBeLessThanOrEqual(20_000 + 512);
});

test('the clock of spans is the time of day, and never goes back', () => {
  // A minute for what was put right of the machine's clock since this process began.
  const [earliest, clock, latest] = [Date.now() - 60_000, clockMs(), Date.now() + 60_000];
  expect(clock).toBeGreaterThan(earliest);
  expect(clock).toBeLessThan(latest);
  expect(clockMs()).toBeGreaterThanOrEqual(clock);
});

test('a collector that cannot be reached is reported without the password in its address', async () => {
  const { tracer, warnings } = tracerTo('http://me:hunter2-secret@127.0.0.1:1');
  tracer.record(span());
  await tracer.flush();
  expect(warnings).toEqual([expect.stringMatching(/^traces: http:\/\/.* does not accept spans/)]);
  expect(warnings[0]).not.toContain('hunter2');
});
