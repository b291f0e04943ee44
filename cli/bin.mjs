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
process.exitCode = await main(process.argv);
