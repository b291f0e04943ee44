/**
 * What monitoring costs for each image: the observers around an activity that does nothing, with everything off and
 * with traces, metrics and log lines on. `npx tsx benchmarks/monitoring-cost.ts`
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Context } from '@temporalio/activity';
import { Runtime } from '@temporalio/worker';
import { pino } from 'pino';
import type { StageTimer } from '../activities/stage-timer.ts';
import { observeRenders, type RenderObservers } from '../monitoring/observe-renders.ts';
import { createRenderMetrics } from '../monitoring/render-metrics.ts';
import { newTrace } from '../monitoring/tracing/span.ts';
import { createTracer } from '../monitoring/tracing/tracer.ts';
import { installRuntime } from '../workers/runtime.ts';
import { withTrace } from '../workflows/tracing/trace-header.ts';

const IMAGES = 20_000;

const silent = pino({ level: 'silent' });
const toNowhere = pino({ timestamp: pino.stdTimeFunctions.isoTime }, pino.destination('/dev/null'));

const context = {
  info: {
    activityType: 'renderImage',
    attempt: 1,
    currentAttemptScheduledTimestampMs: Date.now(),
    workflowExecution: { workflowId: 'batch/night/1-0', runId: 'r' },
  },
} as Context;

const input = {
  args: [{ batch: 'night', shard: 'batches/night/plan/1-0.jsonl', index: 3 }],
  headers: withTrace({}, newTrace()),
};

/** The stages of an image, without their work. */
async function image({ args }: { args: unknown[] }): Promise<unknown> {
  const timer = args[1] as StageTimer;
  timer.add(performance.now(), { waitMs: 0, textEncodeMs: 0, denoiseMs: 0, decodeMs: 0 });
  for (const stage of ['image_encode', 'store', 'store'] as const) await timer.measure(stage, async () => {});
  return { id: 'fox', outcome: 'rendered' };
}

async function microseconds(observers: RenderObservers): Promise<number> {
  const observer = observeRenders(observers, '256');
  const begun = performance.now();
  for (let index = 0; index < IMAGES; index += 1) await observer(context).inbound!.execute!(input, image);
  await observers.tracer?.flush();
  return ((performance.now() - begun) * 1_000) / IMAGES;
}

const collector = createServer((request, response) => {
  request.resume().on('end', () => response.end());
}).listen(0, '127.0.0.1');
await new Promise((resolve) => collector.once('listening', resolve));
const address = `http://127.0.0.1:${(collector.address() as AddressInfo).port}`;
process.env.OTEL_EXPORTER_OTLP_ENDPOINT = address;

installRuntime({ log: silent, metricsAddress: '127.0.0.1:0' });
const metrics = createRenderMetrics(Runtime.instance().metricMeter, 'cpu', ['256']);
const cases: [string, RenderObservers][] = [
  ['log lines silenced', { log: silent, metrics: null, tracer: null }],
  ['log lines', { log: toNowhere, metrics: null, tracer: null }],
  ['log lines and metrics', { log: toNowhere, metrics, tracer: null }],
  ['log lines, metrics and traces', { log: toNowhere, metrics, tracer: createTracer(address) }],
];
for (const [, observers] of cases) await microseconds(observers);
for (const [name, observers] of cases) {
  console.log(`${name.padEnd(30)} ${(await microseconds(observers)).toFixed(1).padStart(6)} microseconds an image`);
}
collector.close();
await Runtime.instance().shutdown();
