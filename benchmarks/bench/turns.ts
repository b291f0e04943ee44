import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';

/** A program's description of itself, printed after its first call, which does not count. */
export type Introduction = { what: string; version: string; errors?: number[] };

export type Run = { processorSeconds: number; wallSeconds: number };

/** A program that waits for its turn. */
export type Competitor = Introduction & { run(): Promise<Run>; end(): Promise<void> };

/**
 * Starts a program that prints a line of JSON when it is ready, and then one for every line that it reads.
 *
 * @throws Error if it exits before that
 */
export async function startCompetitor(command: string[], environment: NodeJS.ProcessEnv = {}): Promise<Competitor> {
  const [program, ...args] = command;
  const env = { ...process.env, ...environment };
  const child = spawn(program!, [...args, '--in-turn'], { stdio: ['pipe', 'pipe', 'inherit'], env });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  const next = async (): Promise<unknown> => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${command.join(' ')}: expected a line of output, but it has exited`);
    return JSON.parse(value);
  };
  return {
    ...((await next()) as Introduction),
    run: () => ask(child, next),
    async end() {
      child.stdin.end();
      await ended;
    },
  };
}

async function ask(child: ChildProcessByStdio<Writable, Readable, null>, next: () => Promise<unknown>): Promise<Run> {
  child.stdin.write('\n');
  return (await next()) as Run;
}

/** For a program that takes turns: yields once for each run that it should make. */
export async function* turnsOf(isInTurn: boolean, runs: number): AsyncGenerator<unknown> {
  if (isInTurn) yield* createInterface(process.stdin);
  else for (let run = 0; run < runs; run += 1) yield run;
}
