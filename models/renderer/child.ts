/**
 * A child process: holds one part of a bundle's networks on one device, and encodes one text or paints one or several
 * images at a time.
 */
import { Worker } from 'node:worker_threads';
import { UserError } from '../../domain/user-error.ts';
import {
  bundleRef,
  type CaptionEncoder,
  loadCaptionEncoder,
  loadPainter,
  OutOfMemory,
  openBundle,
  type Painter,
  verifyPart,
} from '../pixart/index.ts';
import type { ChildAnswer, ChildFailure, FromChild, ToChild } from './protocol.ts';

let encoder: CaptionEncoder | undefined;
let painter: Painter | undefined;
/** How to cancel each render in hand, by its call. */
const cancellations = new Map<number, AbortController>();

/** The parent told this process to stop its render. */
class RenderCancelled extends Error {
  override readonly name = 'RenderCancelled';
}

/**
 * Resolves when the last message has left this process, or cannot. The networks block the event loop, which sends what
 * the channel does not accept at once, so they wait for this: otherwise a finished image, and every message behind it,
 * would arrive many steps of its neighbours late.
 */
let sent: Promise<void> = Promise.resolve();

function send(message: FromChild): Promise<void> {
  sent = new Promise((resolve) => {
    if (!process.connected) resolve();
    else process.send?.(message, () => resolve());
  });
  return sent;
}

type Message<Kind extends ToChild['kind']> = Extract<ToChild, { kind: Kind }>;

async function load({ part, bundleFolder, device, threads, microBatch }: Message<'load'>): Promise<ChildAnswer> {
  const bundle = await openBundle(bundleFolder);
  await verifyPart(bundle, part);
  if (part === 'encoder') encoder = await loadCaptionEncoder(bundle, { device, threads });
  else painter = await loadPainter(bundle, { device, threads, microBatch, beforeRun: () => sent });
  return { kind: 'ready', bundle: bundleRef(bundle) };
}

async function encode({ ids }: Message<'encode'>): Promise<ChildAnswer> {
  if (!encoder) throw new Error('a text arrived before the encoder was loaded');
  return { kind: 'encoded', caption: await encoder.encode(ids) };
}

async function render({
  call,
  request,
  captions,
  resume,
  stateEveryMs,
  thrift,
}: Message<'render'>): Promise<ChildAnswer> {
  if (!painter) throw new Error('a render was requested before the painter was loaded');
  const cancellation = new AbortController();
  cancellations.set(call, cancellation);
  const before = process.cpuUsage();
  try {
    const image = await painter.paint(request, captions, {
      signal: cancellation.signal,
      onStep: (step, steps) => send({ call, kind: 'step', step, steps }),
      resume,
      thrift,
      keeping:
        stateEveryMs === undefined
          ? undefined
          : { everyMs: stateEveryMs, keep: (state) => send({ call, kind: 'state', state }) },
    });
    const { user, system } = process.cpuUsage(before);
    return { kind: 'done', image, processorMs: (user + system) / 1_000 };
  } finally {
    cancellations.delete(call);
  }
}

type Work = Exclude<ToChild, { kind: 'cancel' }>;

function work(message: Work): Promise<ChildAnswer> {
  if (message.kind === 'load') return load(message);
  return message.kind === 'encode' ? encode(message) : render(message);
}

async function answer(message: Work): Promise<void> {
  const { call } = message;
  try {
    send({ call, ...(await work(message)) });
  } catch (error) {
    send({ call, kind: 'failed', failure: describe(error) });
  }
}

function describe(error: unknown): ChildFailure {
  const { name, message, stack } = error instanceof Error ? error : new Error(String(error));
  const outOfMemoryAt = error instanceof OutOfMemory ? error.stage : undefined;
  return { cause: causeOf(error), outOfMemoryAt, name, message, stack };
}

function causeOf(error: unknown): ChildFailure['cause'] {
  if (error instanceof RenderCancelled) return 'cancelled';
  if (error instanceof UserError) return 'user';
  return CODE_FAULTS.some((kind) => error instanceof kind) ? 'code' : 'fault';
}

/** A RangeError may also mean that memory ran out. */
const CODE_FAULTS = [TypeError, ReferenceError, SyntaxError];

process.on('message', (message: ToChild) => {
  if (message.kind === 'cancel') cancellations.get(message.call)?.abort(new RenderCancelled());
  else answer(message);
});

// Ctrl-C in a terminal and some supervisors signal the whole group. When to stop is the parent's decision: it may want to
// finish the image in hand.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGUSR2'] as const) process.on(signal, () => {});
process.on('disconnect', () => process.exit());
new Worker(new URL('./watch-parent.mjs', import.meta.url)).unref();
