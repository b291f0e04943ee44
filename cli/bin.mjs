#!/usr/bin/env node
import { setImmediate } from 'node:timers/promises';
import { printable } from '../domain/printable.mjs';
import { runProgram } from '../infra/build/program.mjs';

/** Top-level help and version: nothing in them is worth tracing. */
const isAsked = /^(-h|--help|help|-V|--version)?$/.test(process.argv[2] ?? '') && process.argv.length <= 3;

try {
  /** @type {typeof import('./main.ts')} */
  const { main, EXIT } = await runProgram('cli/main.ts', { isTraced: !isAsked });
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', ({ code, message }) => {
      if (code === 'EPIPE') process.exit(EXIT.readerGone);
      if (stream === process.stdout) console.error(`pixart-batch: the output could not be written (${message})`);
      process.exit(EXIT.badInput);
    });
  }
  const code = await main(process.argv);
  // Output that could not be written is reported one turn later.
  await setImmediate();
  // Exit explicitly: the Temporal client may be about to retry a call that nobody is waiting for.
  process.exit(code);
} catch (error) {
  const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
  // Without this variable, older versions of npm let onnxruntime-node download CUDA libraries.
  const missing = 'the npm packages are not installed. Run "npm start", or "ONNXRUNTIME_NODE_INSTALL=skip npm ci".';
  console.error(printable(`pixart-batch: ${code === 'ERR_MODULE_NOT_FOUND' ? missing : message}`));
  process.exit(1);
}
