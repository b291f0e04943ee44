/** The renderer's child process: holds the sessions of one bundle on one device and renders one image at a time. */
import { Worker } from 'node:worker_threads';
import { UserError } from '../../domain/user-error.ts';
import { bundleRef, loadPipeline, openBundle, type Pipeline, verifyBundle } from '../pixart/index.ts';
import type { ChildFailure, FromChild, ToChild } from './protocol.ts';

let pipeline: Pipeline | undefined;
let cancellation = new AbortController();

/** The parent told this process to stop its render. */
class RenderCancelled extends Error {
  override readonly name = 'RenderCancelled';
}

/**
 * Resolves when the message has left this process, or cannot. What the channel does not take at once waits for the event loop,
 * which a step blocks: whoever sends something large waits, or it arrives many steps late.
 */
const tell = (message: FromChild): Promise<void> =>
  new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(message, () => resolve());
  });

async function load({ bundleFolder, device, threads }: ToChild & { kind: 'load' }): Promise<FromChild> {
  const bundle = await openBundle(bundleFolder);
  await verifyBundle(bundle);
  pipeline = await loadPipeline(bundle, { device, threads });
  return { kind: 'ready', bundle: bundleRef(bundle) };
}

async function render({ request, resume, stateEveryMs }: ToChild & { kind: 'render' }): Promise<FromChild> {
  if (!pipeline) throw new Error('a render was asked for before the bundle was loaded');
  cancellation = new AbortController();
  const before = process.cpuUsage();
  const image = await pipeline.render(request, {
    signal: cancellation.signal,
    onStep: (step, steps) => tell({ kind: 'step', step, steps }),
    resume,
    keeping:
      stateEveryMs === undefined
        ? undefined
        : { everyMs: stateEveryMs, keep: (state) => tell({ kind: 'state', state }) },
  });
  const { user, system } = process.cpuUsage(before);
  return { kind: 'done', image, processorMs: (user + system) / 1_000 };
}

async function answer(message: Exclude<ToChild, { kind: 'cancel' }>): Promise<void> {
  try {
    tell(message.kind === 'load' ? await load(message) : await render(message));
  } catch (error) {
    tell({ kind: 'failed', failure: describe(error) });
  }
}

function describe(error: unknown): ChildFailure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  return { cause: causeOf(error), name, message, stack };
}

function causeOf(error: unknown): ChildFailure['cause'] {
  if (error instanceof RenderCancelled) return 'cancelled';
  if (error instanceof UserError) return 'user';
  return CODE_FAULTS.some((kind) => error instanceof kind) ? 'code' : 'fault';
}

/** A RangeError may also say that memory could not be had. */
const CODE_FAULTS = [TypeError, ReferenceError, SyntaxError];

process.on('message', (message: ToChild) => {
  if (message.kind === 'cancel') cancellation.abort(new RenderCancelled());
  else answer(message);
});

// Ctrl-C in a terminal and some supervisors signal the whole group. When to stop is the parent's decision: it may want to
// finish the image in hand.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit());
new Worker(new URL('./watch-parent.mjs', import.meta.url)).unref();
