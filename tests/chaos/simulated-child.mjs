// Loaded with --import into render workers and, through their environment, into their renderer children, whose place it takes: a
// child that starts at once, takes an image's time without its arithmetic, and says what models/renderer/protocol.ts says.
// Plain JavaScript, so that killing it a thousand times does not measure how fast a machine starts programs.
import { appendFileSync } from 'node:fs';
import { register } from 'node:module';
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';

/** This file's address says what to serve and where to count. A renderer child gets no environment of ours but this way. */
const { searchParams } = new URL(import.meta.url);
const bundle = JSON.parse(searchParams.get('bundle') ?? 'null');
const computed = String(searchParams.get('computed'));
const texts = searchParams.get('texts');
const stepMs = Number(searchParams.get('stepMs') ?? 25);
/** The image with this seed kills the worker that has it in hand, as one does that takes all of a container's memory. */
const killer = Number(searchParams.get('killer') ?? -1);
/** Of a caption. */
const width = Number(searchParams.get('width'));

const SIDE = 8;

/** What the kept state of a real sampler would be, in shape. */
const latents = () => new Float32Array(SIDE * SIDE).fill(0.5);

/** Calls that were told to stop. */
const cancelled = new Set();

/** @param {import('../../models/renderer/protocol.ts').FromChild} message */
const tell = (message) => process.send?.(message);

/**
 * @param {number[]} ids
 * @returns {import('../../models/pixart/index.ts').Caption}
 */
function captionOf(ids) {
  if (texts !== null) appendFileSync(texts, '.');
  return { states: new Float32Array(width * ids.length).fill(0.5), tokens: ids.length };
}

/**
 * @param {Extract<import('../../models/renderer/protocol.ts').ToChild, { kind: 'render' }>} message
 * @returns {Promise<import('../../models/renderer/protocol.ts').FromChild>}
 */
async function render({ call, request, resume, stateEveryMs }) {
  let keptAt = performance.now();
  // A character for every computation that was begun: what really happened, beside what receipts say.
  appendFileSync(computed, '.');
  for (let step = (resume?.step ?? 0) + 1; step <= request.steps; step += 1) {
    await sleep(stepMs);
    if (cancelled.has(call))
      return {
        call,
        kind: 'failed',
        failure: { cause: 'cancelled', name: 'Error', message: 'cancelled', stack: undefined },
      };
    if (request.seed === killer) process.kill(process.ppid, 'SIGKILL');
    tell({ call, kind: 'step', step, steps: request.steps });
    if (stateEveryMs !== undefined && performance.now() - keptAt >= stateEveryMs) {
      keptAt = performance.now();
      tell({ call, kind: 'state', state: { step, arrays: [latents(), latents()] } });
    }
  }
  const rgb = new Uint8Array(request.width * request.height * 3).fill(request.seed % 256);
  const timings = { denoiseMs: stepMs * request.steps, decodeMs: 0 };
  return { call, kind: 'done', image: { rgb, width: request.width, height: request.height, timings }, processorMs: 0 };
}

/** @param {import('../../models/renderer/protocol.ts').ToChild} message */
async function take(message) {
  const { call } = message;
  if (message.kind === 'cancel') cancelled.add(call);
  else if (message.kind === 'load') tell({ call, kind: 'ready', bundle });
  else if (message.kind === 'encode') tell({ call, kind: 'encoded', caption: captionOf(message.ids) });
  else tell(await render(message));
}

/** Has the real child's program be empty. */
const LOADER = `export const load = (url, context, next) =>
  url.endsWith('/models/renderer/child.mjs') ? { format: 'module', source: '', shortCircuit: true } : next(url, context);`;

if (isMainThread && process.argv[1]?.endsWith('child.mjs')) {
  register(`data:text/javascript,${encodeURIComponent(LOADER)}`);
  process.on('message', take);
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => {});
  process.on('disconnect', () => process.exit());
}
