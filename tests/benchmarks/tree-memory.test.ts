import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, it } from 'vitest';
import { treeMemory } from '../../benchmarks/bench/tree-memory.ts';

const MEBIBYTE = 2 ** 20;

it.runIf(process.platform === 'linux')('counts the memory of a grandchild, and stops once it has exited', async () => {
  const grandchild = 'const held = Buffer.alloc(200 * 2 ** 20, 1); console.log("holds"); setInterval(() => held, 1e6);';
  const before = treeMemory(process.pid).total;
  // `wait` keeps the shell from becoming the program.
  const child = spawn('sh', ['-c', '"$0" -e "$1" & echo $!; wait', process.execPath, grandchild], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  for await (const chunk of child.stdout) {
    said += chunk;
    if (said.includes('holds')) break;
  }
  expect(treeMemory(child.pid!).total).toBeGreaterThan(200 * MEBIBYTE);
  expect(treeMemory(process.pid).total - before).toBeGreaterThan(150 * MEBIBYTE);
  const ended = once(child, 'exit');
  process.kill(Number.parseInt(said, 10), 'SIGKILL');
  await ended;
  expect(treeMemory(child.pid!).total).toBe(0);
});
