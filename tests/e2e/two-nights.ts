import { copyFile, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { batchEnd, connect, submitBatch, temporalTarget } from '../../client/index.ts';
import type { Totals } from '../../domain/receipt.ts';
import { startTemporalServer } from '../../infra/dev/temporal-server.ts';
import { bundleRef, openBundle } from '../../models/pixart/index.ts';
import { openStore } from '../../store/index.ts';
import { BUNDLE, simulatedChildren } from '../chaos/simulated-children.ts';
import { WorkerProcess } from './worker-process.ts';

/** Every tenth row has a negative prompt of its own; the others share one. */
export const DISTINCT_NEGATIVES_EVERY = 10;

export type Night = {
  totals: Totals;
  /** Texts that were encoded, by the children's own account. */
  encoded: number;
  /** Images that were computed, by the children's own account. */
  computed: number;
  seconds: number;
};

export type TwoNights = { first: Night; second: Night; captions: { objects: number; bytes: number } };

/**
 * Two nights of one catalog, with a store in a folder and workers that are processes of their own; of rendering only
 * the arithmetic is left out. In the first night one worker encodes and another renders what it keeps; in the second,
 * with fresh seeds, another worker renders whose bundle lacks the text encoder's files, and nobody encodes.
 */
export async function twoNights(rows: number, variants: number, tell: (line: string) => void = () => {}) {
  const folder = await mkdtemp(path.join(tmpdir(), 'pixart-nights-'));
  const server = await startTemporalServer({ ui: false });
  const client = await connect(temporalTarget({ address: server.address }));
  const counters = { computed: path.join(folder, 'computed'), texts: path.join(folder, 'texts') };
  for (const file of Object.values(counters)) await writeFile(file, '');
  const environment = await simulatedChildren({ ...counters, stepMs: 1 });
  const worker = (...options: string[]) =>
    new WorkerProcess([...options, '--address', server.address, '--grace', '5'], environment);
  const painterBundle = await withoutEncoder(path.join(folder, 'bundle'));
  const painter = ['--renderer', '--without-text-encoder', '--bundle', painterBundle];
  const catalog = path.join(folder, 'catalog.csv');
  await writeFile(catalog, catalogText(rows, variants));
  const store = pathToFileURL(path.join(folder, 'out')).href;
  const bundle = bundleRef(await openBundle(BUNDLE));

  async function night(batch: string): Promise<Night> {
    const before = await counts(counters);
    const started = performance.now();
    await submitBatch(client, { catalog, store, bundle, batch, defaults: { seeds: 'fresh' } });
    const end = await batchEnd(client, batch);
    if (end.state !== 'completed') throw new Error(`${batch}: ${JSON.stringify(end)}`);
    const after = await counts(counters);
    const { totals } = end.result;
    tell(`${batch}: ${JSON.stringify(totals)}`);
    return {
      totals,
      encoded: after.texts - before.texts,
      computed: after.computed - before.computed,
      seconds: (performance.now() - started) / 1_000,
    };
  }

  const workers = [worker('--orchestrator'), worker('--encoder', '--bundle', BUNDLE), worker(...painter)];
  try {
    const [orchestrator, encoder, firstPainter] = workers as [WorkerProcess, WorkerProcess, WorkerProcess];
    await orchestrator.said('orchestrator ready');
    await encoder.said('encode worker ready');
    await firstPainter.said('render worker ready');
    const first = await night('first');
    await Promise.all([encoder.kill('SIGTERM'), firstPainter.kill('SIGTERM')]);
    workers.push(worker(...painter));
    await workers.at(-1)!.said('render worker ready');
    const second = await night('second');
    return { first, second, captions: await captionsIn(store) } satisfies TwoNights;
  } finally {
    await Promise.all(workers.map((process) => process.kill('SIGKILL')));
    await client.close();
    await server.stop();
    await rm(folder, { recursive: true });
  }
}

function catalogText(rows: number, variants: number): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const negative = row % DISTINCT_NEGATIVES_EVERY === 0 ? `blur number ${row}` : 'blur';
    return `a fox number ${row} in the snow,${negative},${variants},1,256`;
  });
  return ['prompt,negative_prompt,variants,steps,size', ...lines, ''].join('\n');
}

/** A bundle's folder as it is on a machine that does not encode. */
async function withoutEncoder(to: string): Promise<string> {
  await mkdir(to);
  for (const file of await readdir(BUNDLE)) {
    if (/^(text_encoder|caption_projection)/.test(file)) continue;
    await copyFile(path.join(BUNDLE, file), path.join(to, file));
  }
  return to;
}

async function counts({ computed, texts }: { computed: string; texts: string }) {
  return { computed: (await stat(computed)).size, texts: (await stat(texts)).size };
}

async function captionsIn(url: string): Promise<{ objects: number; bytes: number }> {
  const found = { objects: 0, bytes: 0 };
  for await (const { bytes } of (await openStore(url)).list('captions/')) {
    found.objects += 1;
    found.bytes += bytes;
  }
  return found;
}
