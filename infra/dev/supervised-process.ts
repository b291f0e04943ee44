import { existsSync, readFileSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { ServerUnreachable, UserError } from '../../domain/user-error.ts';
import { endProcess, startInBackground } from './background-process.ts';

export type Supervised = {
  readonly name: string;
  /** Resolves when the program has logged that it is ready. */
  readonly ready: Promise<void>;
  /** Resolves when the program has failed and a restart would not help. */
  readonly gaveUp: Promise<UserError>;
  stop(): Promise<void>;
};

export type Program = {
  name: string;
  args: string[];
  logFile: string;
  graceMs: number;
  /** The server is restarted when it goes away, so a program that found no server may be restarted too. */
  isServerKept?: boolean;
};

/** A process that exits by itself this often in a row will do so again. */
const mostRestarts = 5;
const restartPauseMs = 1_000;
const lookPauseMs = 200;
/** One that has run for this long has started successfully. */
const settledMs = 60_000;
/** The exit codes for bad input, which a person has to fix, and for an unusable server: see cli/exit-codes.ts. */
const [badInput, unreachable] = [2, 4];

/**
 * A fleet on one machine has one version of the workflows: with the shell's deployment settings its workers would wait
 * until someone makes their version current.
 */
function workerEnvironment(): Record<string, string> {
  const { TEMPORAL_DEPLOYMENT_NAME: _name, TEMPORAL_WORKER_BUILD_ID: _build, ...usual } = childEnvironment('worker');
  return usual;
}

/** Runs a worker, and restarts it when it crashes or is killed. */
export function supervise({ name, args, logFile, graceMs, isServerKept = false }: Program): Supervised {
  const isHopeless = (code: number | null) => code === badInput || (code === unreachable && !isServerKept);
  let stopping = false;
  const logStart = statSync(logFile, { throwIfNoEntry: false })?.size ?? 0;
  let pid: number | undefined;
  let running: Promise<number | null> = Promise.resolve(null);

  const start = (): void => {
    const child = startInBackground(process.execPath, args, { env: workerEnvironment(), logFile });
    // Keeps this process alive while it supervises something.
    child.ref();
    pid = child.pid;
    running = new Promise((resolve) => {
      child.once('exit', resolve);
      child.once('error', () => resolve(null));
    });
  };

  async function keepRunning(): Promise<UserError> {
    for (let restarts = 0; ; restarts += 1) {
      const startedAt = performance.now();
      start();
      const code = await running;
      if (stopping) return new Promise(() => {});
      if (performance.now() - startedAt > settledMs) restarts = 0;
      if (isHopeless(code) || restarts === mostRestarts) return failure(name, code, logFile);
      await sleep(restartPauseMs);
      if (stopping) return new Promise(() => {});
    }
  }

  async function untilReady(): Promise<void> {
    while (!stopping && !hasLogged(logFile, logStart, `"msg":"${name} ready"`))
      await sleep(lookPauseMs, null, { ref: false });
  }

  return {
    name,
    ready: untilReady(),
    gaveUp: keepRunning(),
    async stop() {
      stopping = true;
      if (pid !== undefined) await endProcess(pid, graceMs);
      await running;
    },
  };
}

function hasLogged(file: string, from: number, text: string): boolean {
  if (!existsSync(file)) return false;
  return readFileSync(file).subarray(from).includes(text);
}

function failure(name: string, code: number | null, logFile: string): UserError {
  const lastLines = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
  const Kind = code === unreachable ? ServerUnreachable : UserError;
  return new Kind(`the ${name} exited (${code ?? 'killed'}); the last lines of ${logFile}:\n${lastLines}`);
}
