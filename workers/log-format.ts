import type { DestinationStream } from 'pino';

/** `json`: an object a line, for programs. `text`: for a person in front of it. */
export const LOG_FORMATS = ['json', 'text'] as const;

export type LogFormat = (typeof LOG_FORMATS)[number];

/** People read terminals; everything else is read by programs. */
export const usualLogFormat = (stream: { isTTY?: boolean } = process.stderr): LogFormat =>
  stream.isTTY ? 'text' : 'json';

/** Fields that every line has, and that a person watching one process does not need. */
const LEFT_OUT = new Set(['name', 'hostname', 'pid', 'level', 'time', 'msg', 'err', 'error', 'stack']);

const LEVELS: Record<number, string> = { 10: 'trace', 20: 'debug', 30: 'info', 40: 'warn', 50: 'error', 60: 'fatal' };

type Line = { level: number; time: string; msg?: string; err?: { stack?: string }; error?: { stack?: string } };

/** Writes pino's lines for people: `09:30:05 info  image rendered  batch=night job=fox-1 attempt=1`. */
export const readableLines = (destination: DestinationStream): DestinationStream => ({
  write: (text) => destination.write(readable(JSON.parse(text) as Line)),
});

function readable(line: Line): string {
  const fields = Object.entries(line)
    .filter(([key]) => !LEFT_OUT.has(key))
    .map(
      ([key, value]) => `${key}=${typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value)}`,
    );
  const head = `${line.time.slice(11, 19)} ${(LEVELS[line.level] ?? '').padEnd(5)} ${line.msg ?? ''}`;
  const stack = (line.err ?? line.error)?.stack;
  return `${[head, fields.join(' ')].filter(Boolean).join('  ')}\n${stack === undefined ? '' : `${stack}\n`}`;
}
