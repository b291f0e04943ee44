import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Resident memory of some processes from now on, in MB. */
export type MemoryWatch<Name extends string> = {
  curves: Record<Name, number[]>;
  /** Discards the samples so far. */
  restart(): void;
  stop(): void;
};

/** Samples the processes every second with `ps`, which works on any system. */
export function watchMemory<Name extends string>(pids: Record<Name, number>): MemoryWatch<Name> {
  const names = Object.keys(pids) as Name[];
  const empty = () => Object.fromEntries(names.map((name) => [name, [] as number[]])) as Record<Name, number[]>;
  const watch = { curves: empty(), restart, stop: () => clearInterval(timer) };
  function restart(): void {
    watch.curves = empty();
  }
  const look = async (): Promise<void> => {
    const { stdout } = await run('ps', ['-o', 'pid=,rss=', '-p', Object.values(pids).join(',')]);
    for (const line of stdout.trim().split('\n')) {
      const [pid, kilobytes] = line.trim().split(/\s+/).map(Number);
      const name = names.find((each) => pids[each] === pid)!;
      watch.curves[name].push(Math.round(kilobytes! / 1_024));
    }
  };
  // A process that has just exited is no reason to stop.
  const timer = setInterval(() => look().catch(() => {}), 1_000).unref();
  return watch;
}

/** Processor seconds that the processes have used since they started. */
export async function processorSeconds(pids: number[]): Promise<number> {
  const { stdout } = await run('ps', ['-o', 'time=', '-p', pids.join(',')]);
  // [days-][hours:]minutes:seconds
  const seconds = (time: string): number => {
    const [last = 0, minutes = 0, hours = 0, days = 0] = time.trim().split(/[-:]/).map(Number).reverse();
    return last + 60 * (minutes + 60 * (hours + 24 * days));
  };
  return stdout
    .trim()
    .split('\n')
    .reduce((sum, time) => sum + seconds(time), 0);
}

/** Reduces a curve to at most `most` values; each is the highest of its section, so that no peak is lost. */
export function sampled(curve: number[], most: number): number[] {
  const part = Math.max(1, Math.ceil(curve.length / most));
  return Array.from({ length: Math.ceil(curve.length / part) }, (_, index) =>
    Math.max(...curve.slice(index * part, (index + 1) * part)),
  );
}
