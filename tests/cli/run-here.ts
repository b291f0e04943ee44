import { vi } from 'vitest';
import { main } from '../../cli/main.ts';
import type { Finished } from '../e2e/command-line.ts';

/**
 * Runs a command line in this process, to test what it prints: starting a process would take most of the time. What a process
 * adds (signals, exit codes that a shell sees) is tested in tests/e2e/ with processes. Run one at a time: output, environment
 * and exit code belong to the whole process.
 */
export async function runHere(args: string[], environment: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const said = { stdout: '', stderr: '' };
  const before = Object.keys(environment).map((name) => [name, process.env[name]] as const);
  const spies = (['stdout', 'stderr'] as const).map((stream) =>
    vi.spyOn(process[stream], 'write').mockImplementation((text) => {
      said[stream] += text;
      return true;
    }),
  );
  Object.assign(process.env, environment);
  process.exitCode = undefined;
  try {
    const code = await main(['node', 'pixart-batch', ...args]);
    return { code, ...said };
  } finally {
    for (const spy of spies) spy.mockRestore();
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    process.exitCode = undefined;
  }
}
