import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { secondsOfEndedChildren } from '../whole-product/processes.ts';

/** Processor seconds, user and system, and peak resident memory. */
export type Usage = { seconds: number; megabytes: number };

const LOOK_EVERY_MS = 20;

/**
 * Runs a Node program to completion; this process must not run anything else in the meantime.
 *
 * @throws Error if it fails
 */
export async function commandUsage(command: string[]): Promise<Usage> {
  const before = secondsOfEndedChildren();
  const child = spawn(process.execPath, command, { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = once(child, 'exit');
  let peak = 0;
  const look = () => {
    peak = Math.max(peak, peakOf(child.pid!));
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  const [code] = await ended;
  clearInterval(timer);
  if (code !== 0) throw new Error(`${command.join(' ')} exited with code ${code}`);
  return { seconds: secondsOfEndedChildren() - before, megabytes: peak };
}

/** The kernel's own high-water mark, see proc_pid_status(5); 0 for a process that has exited. */
function peakOf(pid: number): number {
  try {
    const [, kilobytes = 0] = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return (Number(kilobytes) * 1024) / 1e6;
  } catch {
    return 0;
  }
}
