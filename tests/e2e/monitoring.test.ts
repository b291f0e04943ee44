import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import getPort from 'get-port';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { batchEnd, connect, reviewPageEnd, submitBatch, temporalTarget } from '../../client/index.ts';
import type { Receipt } from '../../domain/receipt.ts';
import { STAGES } from '../../domain/timings.ts';
import { startTemporalServer, type TemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { manifestSchema } from '../../records/manifest.ts';
import { openStore } from '../../store/index.ts';
import { attributesOf, type Collector, type ReceivedSpan, startCollector } from '../monitoring/collector.ts';
import { exposedMetrics, groupedBy, metricsUsed, monitoringQueries } from './dashboard-queries.ts';
import { listeningAddresses } from './listening.ts';
import { WorkerProcess } from './worker-process.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const TINY = fileURLToPath(new URL('../golden/bundles/tiny-velocity', import.meta.url));
const SECRET = 'a fox that nobody may read of';

let folder: string;
let server: TemporalServer;
let collector: Collector;
let worker: WorkerProcess;
let metricsAddress: string;
let exposed: string;
/** Where the worker, its renderer and the server took connections. */
let listening: string[][];
let receipts: Receipt[];

/** One worker that does everything loses its renderer, makes a batch of two rows with one picture, and ends. */
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'pixart-monitoring-'));
  [server, collector] = await Promise.all([startTemporalServer({ ui: false }), startCollector()]);
  vi.stubEnv('OTEL_EXPORTER_OTLP_ENDPOINT', collector.endpoint);
  metricsAddress = `127.0.0.1:${await getPort()}`;
  const options = ['--bundle', TINY, '--threads', '1', '--metrics-address', metricsAddress];
  worker = new WorkerProcess(['--address', server.address, ...options]);
  await Promise.all([worker.said('orchestrator ready'), worker.said('render worker ready')]);
  process.kill(worker.rendererPid, 'SIGKILL');
  const client = await connect(temporalTarget({ address: server.address }));
  await renderNight(client);
  exposed = await (await fetch(`http://${metricsAddress}/metrics`)).text();
  listening = await Promise.all([worker.pid, worker.rendererPid, server.pid].map(listeningAddresses));
  await client.close();
  await worker.kill('SIGTERM');
});

async function renderNight(client: Awaited<ReturnType<typeof connect>>): Promise<void> {
  const catalog = path.join(folder, 'catalog.csv');
  await writeFile(catalog, `id,prompt,steps\nfox,${SECRET},2\ntwin,${SECRET},2\n`);
  const bundle = bundleRef(await openBundle(TINY));
  const store = pathToFileURL(path.join(folder, 'out')).href;
  const { batch } = await submitBatch(client, { catalog, store, bundle, batch: 'night' });
  const end = await batchEnd(client, batch);
  if (end.state !== 'completed') throw new Error(`night: expected it to complete, found ${JSON.stringify(end)}`);
  expect(end.result.totals).toMatchObject({ rendered: 1, reused: 1 });
  await reviewPageEnd(client, end.result);
  const manifest = await (await openStore(store)).read(end.result.manifest);
  receipts = manifestSchema.parse(JSON.parse(Buffer.from(manifest).toString())).images;
}

afterAll(async () => {
  vi.unstubAllEnvs();
  await worker?.kill('SIGKILL');
  await collector?.close();
  await server?.stop();
  await rm(folder, { recursive: true });
});

test('one endpoint tells how many images were made and found, and how long each stage took', () => {
  expect(exposed).toContain('pixart_images_total{device="cpu",outcome="rendered",size="256"} 1\n');
  expect(exposed).toContain('pixart_images_total{device="cpu",outcome="reused",size="256"} 1\n');
  expect(exposed).toContain('pixart_images_total{device="cpu",outcome="failed",size="256"} 0\n');
  for (const stage of ['wait', 'text_encode', 'denoise', 'decode', 'image_encode']) {
    expect(exposed).toContain(`pixart_stage_seconds_count{device="cpu",size="256",stage="${stage}"} 1\n`);
  }
  // The object, and a copy of it for each row.
  expect(exposed).toContain('pixart_stage_seconds_count{device="cpu",size="256",stage="store"} 3\n');
  expect(exposed).toContain('pixart_queue_wait_seconds_count{device="cpu",size="256"} 2\n');
  expect(exposed).toMatch(/^pixart_texts_encoded_total\{device="cpu"\} [1-9]/m);
  expect(exposed).toContain('pixart_renderer_restarts_total{device="cpu"} 1\n');
});

test.skipIf(process.platform !== 'linux')(
  'a worker listens where its metrics were asked for and nowhere else, and the server on loopback alone',
  () => {
    const [ofWorker, ofRenderer, ofServer] = listening;
    expect(ofWorker).toEqual([metricsAddress]);
    expect(ofRenderer).toEqual([]);
    expect(ofServer).toContain(server.address);
    expect(ofServer?.filter((address) => !address.startsWith('127.0.0.1:'))).toEqual([]);
  },
);

test('the memory that is told for a processor is that of the renderer', () => {
  const bytes = Number(/^pixart_device_memory_bytes\{device="cpu"\} (\d+)$/m.exec(exposed)?.[1]);
  // Node alone takes 40 MB; the tiny bundle with ONNX Runtime far less than 4 GB.
  expect(bytes).toBeGreaterThan(40e6);
  expect(bytes).toBeLessThan(4e9);
});

test('every metric and label of the dashboard and the alerts is one that a worker has', () => {
  const metrics = exposedMetrics(exposed);
  const queries = monitoringQueries();
  expect(queries.length).toBeGreaterThan(15);
  for (const query of queries) {
    const used = metricsUsed(query);
    expect(used, query).not.toEqual([]);
    for (const { metric, labels } of used) {
      // Prometheus adds the instance.
      const known = [...(metrics.get(metric) ?? []), 'instance'];
      expect(metrics.has(metric), `${metric}, in ${query}`).toBe(true);
      expect(known, query).toEqual(expect.arrayContaining([...labels, ...groupedBy(query)]));
    }
  }
});

test('no label holds a batch, a job or a prompt', () => {
  const ours = [...exposedMetrics(exposed)].filter(([metric]) => metric.startsWith('pixart_'));
  const labels = new Set(ours.flatMap(([, names]) => [...names]));
  expect([...labels].sort()).toEqual(['device', 'le', 'outcome', 'size', 'stage']);
});

test('one trace leads from submit through workflows and activities to the stages of the image', () => {
  const { spans } = collector;
  const byId = new Map(spans.map((span) => [span.spanId, span]));
  const way = ({ name, parentSpanId }: ReceivedSpan): string =>
    parentSpanId === undefined ? name : `${way(byId.get(parentSpanId)!)} > ${name}`;
  const shard = 'submit > renderBatch > renderShard';
  expect(new Set(spans.map(({ traceId }) => traceId)).size).toBe(1);
  expect(spans.map(way)).toEqual(
    expect.arrayContaining([
      ...['submit', 'submit > renderBatch', shard],
      ...['planBatch', 'writeManifest', 'writeContactSheet'].map((activity) => `submit > renderBatch > ${activity}`),
      ...['makeSheetPage', 'makeSheetPage > writeSheetPage'].map((span) => `submit > renderBatch > ${span}`),
      ...['readShard', 'renderImage', 'writeReceipts'].map((activity) => `${shard} > ${activity}`),
      ...['wait', 'text_encode', 'denoise', 'decode', 'image_encode', 'store'].map(
        (stage) => `${shard} > renderImage > ${stage}`,
      ),
    ]),
  );
});

test('a span lies within the one that it is part of, and says which job it is of', () => {
  const byId = new Map(collector.spans.map((span) => [span.spanId, span]));
  const stages = collector.spans.filter(({ parentSpanId }) => byId.get(parentSpanId ?? '')?.name === 'renderImage');
  expect(stages).toHaveLength(8);
  for (const { parentSpanId, startTimeUnixNano, endTimeUnixNano } of stages) {
    const parent = byId.get(parentSpanId!)!;
    expect(BigInt(startTimeUnixNano)).toBeGreaterThanOrEqual(BigInt(parent.startTimeUnixNano));
    expect(BigInt(endTimeUnixNano)).toBeLessThanOrEqual(BigInt(parent.endTimeUnixNano));
    expect(attributesOf(parent)).toMatchObject({ batch: 'night', job: expect.stringMatching(/fox|twin/), attempt: 1 });
  }
});

test('receipts, metrics and the trace tell the same times of an image', () => {
  const { spans } = collector;
  const spent = (job: string, stage: string): number =>
    spans
      .filter(({ name, parentSpanId }) => {
        const parent = spans.find(({ spanId }) => spanId === parentSpanId);
        return name === stage && parent !== undefined && attributesOf(parent).job === job;
      })
      .reduce(
        (ms, { startTimeUnixNano: start, endTimeUnixNano: end }) => ms + Number(BigInt(end) - BigInt(start)) / 1e6,
        0,
      );
  const recorded = (stage: string): number =>
    Number(new RegExp(`^pixart_stage_seconds_sum\\{.*stage="${stage}"\\} (.+)$`, 'm').exec(exposed)?.[1]);
  const rendered = receipts.find(({ outcome }) => outcome === 'rendered')!;
  for (const [stage, key] of Object.entries(STAGES)) {
    for (const { id, timings } of receipts) expect(spent(id, stage), `${id}: ${stage}`).toBeCloseTo(timings[key]!, 2);
    expect(rendered.timings[key], stage).toBeGreaterThan(0);
    // That worker made no other images.
    const inReceipts = receipts.reduce((ms, { timings }) => ms + timings[key]!, 0);
    expect(recorded(stage), stage).toBeCloseTo(inReceipts / 1_000, 5);
  }
});

test('every image has a log line with batch, job and attempt', () => {
  const images = worker.lines.filter(({ msg }) => msg?.startsWith('image '));
  expect(images).toHaveLength(2);
  for (const line of images) {
    expect(line).toMatchObject({ batch: 'night', job: expect.stringMatching(/fox|twin/), attempt: 1, size: '256' });
  }
});

test('prompts are neither in logs, traces nor metrics', () => {
  for (const text of [JSON.stringify(worker.lines), JSON.stringify(collector.requests), exposed]) {
    expect(text).not.toContain(SECRET);
  }
});
