import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeToOthers } from './private-files.ts';
import { isAlive } from './steps.mjs';

/**
 * Starts a program in a process group of its own, so that Ctrl-C in the terminal reaches only this process, which then
 * stops its children in order. Its output goes to a file, for its owner only: a pipe would end it together with a starter that was killed.
 * When this process ends in an orderly way, the program is asked to end too. Its standard input stays open for as long
 * as this process lives.
 */
export function startInBackground(
  binary: string,
  args: string[],
  { env, logFile }: { env: Record<string, string>; logFile: string },
): ChildProcess {
  const log = openSync(logFile, 'a', 0o600);
  closeToOthers(logFile);
  const child = spawn(binary, args, { env, detached: true, stdio: ['pipe', log, log] });
  closeSync(log);
  child.unref();
  (child.stdin as Socket | null)?.unref();
  if (child.pid !== undefined) child.once('exit', endWithThis(child.pid));
  return child;
}

/** Has a process asked to end when this one ends in an orderly way; what it returns takes that back. */
export function endWithThis(pid: number): () => void {
  const stop = () => signal(pid, 'SIGTERM');
  process.once('exit', stop);
  return () => process.removeListener('exit', stop);
}

/** Asks the process to end, insists after `graceMs`, and returns when it has gone. Does nothing to one that has gone. */
export async function endProcess(pid: number, graceMs: number): Promise<void> {
  signal(pid, 'SIGTERM');
  if (await hasGone(pid, graceMs)) return;
  signal(pid, 'SIGKILL');
  await hasGone(pid, 5_000);
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function hasGone(pid: number, withinMs: number): Promise<boolean> {
  for (const deadline = Date.now() + withinMs; isAlive(pid); await sleep(50)) {
    if (Date.now() > deadline) return false;
  }
  return true;
}
