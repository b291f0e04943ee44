#!/usr/bin/env node
// Plain JavaScript: makes Node read the TypeScript sources, then runs them.
try {
  const { register } = await import('tsx/esm/api');
  register();
} catch (error) {
  if (/** @type {NodeJS.ErrnoException} */ (error).code !== 'ERR_MODULE_NOT_FOUND') throw error;
  console.error('pixart-batch: the npm packages are not installed. Run "npm ci" first.');
  process.exit(1);
}
const { main } = await import('./main.ts');
// Not by running out of work: the Temporal client may still be about to repeat a call that nobody waits for.
process.exit(await main(process.argv));
