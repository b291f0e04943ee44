// Plain Node: the bootstrap imports this file before anything is installed.
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { childEnvironment } from '../../domain/child-environment.mjs';
import { printable } from '../../domain/printable.mjs';
import { removeStale } from './stale-file.mjs';

/** A step that a person has to do something about; printed without a stack trace. */
export class SetUpError extends Error {}

/** @param {string} line */
export const say = (line) => void process.stderr.write(`${printable(line)}\n`);

/** @param {number} sinceMs */
function elapsed(sinceMs) {
  const seconds = Math.round((Date.now() - sinceMs) / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}

/**
 * Runs a program, says every 20 s that it still runs, and gives back its last lines only when it fails. Its environment is that of a
 * program that needs nothing of ours, unless it is given.
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
 * Waits for all of them, so that none is left half done, and then fails as the first that failed.
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

/** What a process that crashed between making a lock and writing into it leaves is unreadable; a live one writes at once. */
const writingMs = 3_000;

/**
 * Only one process at a time does `work`; a lock whose holder has died is taken over.
 *
 * @template T
 * @param {string} path of the lock file
 * @param {() => Promise<T>} work
 */
export async function oneAtATime(path, work) {
  mkdirSync(dirname(path), { recursive: true });
  for (let told = false; !take(path); await sleep(500)) {
    const lock = readLock(path);
    if (lock === null) continue;
    if (lock.isStale) removeStale(path, (content) => content === lock.content);
    else if (!told) say(waitingFor(path, lock.pid));
    told ||= !lock.isStale;
  }
  try {
    return await work();
  } finally {
    removeStale(path, (content) => content === String(process.pid));
  }
}

/** @param {string} path */
function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' });
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === 'EEXIST') return false;
    throw error;
  }
}

/** @param {string} path */
function readLock(path) {
  try {
    const [content, { mtimeMs }] = [readFileSync(path, 'utf8'), statSync(path)];
    const pid = Number.parseInt(content, 10) || null;
    const isStale = pid === null ? Date.now() - mtimeMs > writingMs : !isAlive(pid);
    return { content, pid, isStale };
  } catch {
    return null;
  }
}

/**
 * @param {string} path
 * @param {number | null} pid
 */
const waitingFor = (path, pid) =>
  `waiting for ${pid === null ? 'another process' : `process ${pid}`}, which is setting up the same thing; ` +
  `if it is an unrelated program, remove ${path} …`;
