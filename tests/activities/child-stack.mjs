// Loaded with --import into a renderer's child, as child-stack.mjs?file=…: keeps in that file the stack in which it
// tells of its first step, as it is in denoise. Plain JavaScript: the child's program comes later.
import { appendFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';

Error.stackTraceLimit = 100;
const file = String(new URL(import.meta.url).searchParams.get('file'));
const send = process.send?.bind(process);

if (isMainThread && send) {
  process.send = (/** @type {{ kind: string }} */ message, /** @type {any[]} */ ...rest) => {
    if (message.kind === 'step') appendFileSync(file, `${new Error('first step').stack}\n`);
    return send(message, ...rest);
  };
}
