/** The renderer's child process: holds the sessions of one bundle on one device and renders one image at a time. */
import { Worker } from 'node:worker_threads';
import { UserError } from '../../catalog/user-error.ts';
import {
  bundleRef,
  loadPipeline,
  openBundle,
  type Pipeline,
  type RenderRequest,
  verifyBundle,
} from '../pixart/index.ts';
import type { ChildFailure, FromChild, ToChild } from './protocol.ts';

let pipeline: Pipeline | undefined;
let cancellation = new AbortController();

const tell = (message: FromChild): void => {
  process.send?.(message, () => {});
};

async function load({ bundleFolder, device, threads }: ToChild & { kind: 'load' }): Promise<FromChild> {
  const bundle = await openBundle(bundleFolder);
  await verifyBundle(bundle);
  pipeline = await loadPipeline(bundle, { device, threads });
  return { kind: 'ready', bundle: bundleRef(bundle) };
}

async function render(request: RenderRequest): Promise<FromChild> {
  if (!pipeline) throw new Error('a render was asked for before the bundle was loaded');
  cancellation = new AbortController();
  const image = await pipeline.render(request, {
    signal: cancellation.signal,
    onStep: (step, steps) => tell({ kind: 'step', step, steps }),
  });
  return { kind: 'done', image };
}

function describe(error: unknown): ChildFailure {
  const { message, stack } = error instanceof Error ? error : new Error(String(error));
  if (cancellation.signal.aborted && error === cancellation.signal.reason)
    return { cause: 'cancelled', message, stack };
  return { cause: error instanceof UserError ? 'user' : 'fault', message, stack };
}

async function answer(work: Promise<FromChild>): Promise<void> {
  tell(await work.catch((error: unknown): FromChild => ({ kind: 'failed', failure: describe(error) })));
}

process.on('message', (message: ToChild) => {
  if (message.kind === 'load') answer(load(message));
  else if (message.kind === 'render') answer(render(message.request));
  else cancellation.abort();
});

// Ctrl-C in a terminal and some supervisors signal the whole group. When to stop is the parent's decision: it may want to
// finish the image in hand.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit());
new Worker(new URL('./watch-parent.mjs', import.meta.url)).unref();
