import type { LogLevel } from '@temporalio/worker';
import { type DestinationStream, type Logger, pino } from 'pino';
import { printableJson } from '../domain/printable.mjs';
import { withoutSecrets } from '../domain/secrets.ts';
import { UserError } from '../domain/user-error.ts';
import type { LogFormat } from './log-format.ts';
import { readableLines } from './log-format.ts';

/**
 * A process's log on standard error, which leaves standard output to results. LOG_LEVEL sets its level.
 *
 * @throws UserError for another level than pino's
 */
export function createLog(name: string, format: LogFormat): Logger {
  const { err } = pino.stdSerializers;
  const options = {
    name,
    level: logLevel(process.env.LOG_LEVEL),
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err, error: err },
  };
  const standardError = pino.destination(2);
  const destination: DestinationStream = { write: (line) => standardError.write(withoutSecrets(printableJson(line))) };
  return pino(options, format === 'json' ? destination : readableLines(destination));
}

/** An empty one is none. @throws UserError */
export function logLevel(text = ''): string {
  const levels = [...Object.values(pino.levels.labels), 'silent'];
  const level = text.trim().toLowerCase() || 'info';
  if (levels.includes(level)) return level;
  throw new UserError(`LOG_LEVEL: expected one of ${levels.join(', ')}, found ${JSON.stringify(text)}`);
}

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** Levels that the SDK need not even format: it logs several lines for each step of a workflow. */
export const temporalLevel = (log: Logger): LogLevel =>
  (Object.keys(LEVELS) as LogLevel[]).find((level) => log.isLevelEnabled(LEVELS[level])) ?? 'ERROR';

/** Logged by workers that have only activities or only workflows, as all of ours, once for each of their queues. */
const NO_NEWS = /^No (workflows|activities|Nexus services) registered, not polling/;

/** Sends the log of Temporal's SDK and its core to the same log. */
export const temporalLines =
  (log: Logger) =>
  ({ level, message, meta }: { level: LogLevel; message: string; meta?: object }): void => {
    // A token is what lets its holder answer for an activity.
    const { taskToken: _secret, ...rest } = { taskToken: undefined, ...meta };
    log[NO_NEWS.test(message) ? 'debug' : LEVELS[level]](rest, message);
  };
