import { spawnSync } from 'node:child_process';
import { childEnvironment } from '../domain/child-environment.mjs';

/** Set in a process that `runInRendererEnvironment` has started. */
const MARK = 'PIXART_BENCHMARK_CHILD';

/**
 * Runs this program again, in a child process with a renderer's environment, unless it already has one: glibc and ONNX
 * Runtime read it only when they start.
 */
export function runInRendererEnvironment(): void {
  if (process.env[MARK]) return;
  const { status } = spawnSync(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    env: { ...childEnvironment('renderer'), [MARK]: '1' },
    stdio: 'inherit',
  });
  process.exit(status ?? 1);
}
