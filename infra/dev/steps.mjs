// Plain Node: the bootstrap imports this file before anything is installed.

import { spawn } from 'node:child_process';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { printable } from '../../domain/printable.mjs';
import { CannotLock, lockOrHolder } from './process-lock.mjs';

/** A failed step that a person has to act on; printed without a stack trace. */
export class SetUpError extends Error {}

/** @param {string} line */
export const say = (line) => void process.stderr.write(`${printable(line)}\n`);

/** @param {number} sinceMs */
function elapsed(sinceMs) {
  const seconds = Math.round((Date.now() - sinceMs) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Runs a program, reports every 20 s that it is still running, and shows its last lines only if it fails. By default
 * its environment holds none of our keys and settings.
 *
 * @param {string} what for the person who waits, such as "building temporal"
 * @param {string} program
 * @param {string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv }} [options]
 */
export async function runStep(what, program, args, { cwd, env = childEnvironment('program') } = {}) {
  const started = Date.now();
  say(`${what} …`);
  const child = spawn(program, args, { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output = (output + chunk).slice(-4_000);
    });
  }
  const timer = setInterval(() => say(`  still ${what} (${elapsed(started)})`), 20_000);
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', resolve);
  });
  clearInterval(timer);
  if (code === 0) return say(`  done ${what} in ${elapsed(started)}`);
  const lastLines = output.trim().split('\n').slice(-12).join('\n');
  throw new SetUpError(`${what} failed (${program} ${args.join(' ')}: ${code})\n${lastLines}`);
}

/**
 * Waits for all steps, so that none is left half done, and then fails with the first failure.
 *
 * @param {(Promise<unknown> | null)[]} steps
 */
export async function together(steps) {
  for (const result of await Promise.allSettled(steps)) if (result.status === 'rejected') throw result.reason;
}

/** @param {number} pid */
export function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return /** @type {NodeJS.ErrnoException} */ (error).code === 'EPERM';
  }
}

/** A process that only asks for the lock is gone sooner. */
const PATIENCE_MS = 200;

/**
 * Lets only one process of this machine at a time do `work`. On a file system without locks every process does it.
 *
 * @template T
 * @param {string} path of the lock
 * @param {() => Promise<T>} work
 */
export async function oneAtATime(path, work) {
  const lock = await waitForLock(path);
  try {
    return await work();
  } finally {
    await lock?.release();
  }
}

/** @param {string} path */
async function waitForLock(path) {
  try {
    for (;;) {
      const { lock, holder } = await lockOrHolder(path);
      if (lock !== null) return lock;
      const tell = () => say(`waiting for process ${holder.pid}, which is doing the same set-up …`);
      const timer = setTimeout(tell, PATIENCE_MS);
      await holder.gone;
      clearTimeout(timer);
    }
  } catch (error) {
    if (error instanceof CannotLock) return null;
    throw error;
  }
}
