import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { closeToOthers } from './private-files.ts';
import { isAlive } from './steps.mjs';

/**
 * Starts a program in its own process group, so that Ctrl-C in the terminal reaches only this process, which then stops
 * its children in order. Output goes to a file that only its owner can read: with a pipe the program would die along
 * with a starter that was killed. When this process exits normally, it asks the program to stop. The program's standard
 * input stays open for as long as this process lives.
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

/** Asks a process to stop when this one exits normally; call the returned function to cancel. */
export function endWithThis(pid: number): () => void {
  const stop = () => signal(pid, 'SIGTERM');
  process.once('exit', stop);
  return () => process.removeListener('exit', stop);
}

/** Asks the process to stop, kills it after `graceMs`, and returns once it is gone. Does nothing if it already is. */
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
