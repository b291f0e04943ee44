import { DefaultLogger, type LogLevel, Runtime } from '@temporalio/worker';
import { type Logger, pino } from 'pino';

const LEVELS = { TRACE: 'trace', DEBUG: 'debug', INFO: 'info', WARN: 'warn', ERROR: 'error' } as const;

/** A process's log: a JSON object a line on standard error, which leaves standard output to results. LOG_LEVEL sets its level. */
export function createLog(name: string): Logger {
  const { err } = pino.stdSerializers;
  const options = {
    name,
    level: process.env.LOG_LEVEL ?? 'info',
    timestamp: pino.stdTimeFunctions.isoTime,
    serializers: { err, error: err },
  };
  return pino(options, pino.destination(2));
}

/** Sends what Temporal's SDK and its core say to the same log. Once a process, before anything else of the SDK. */
export function logTemporalTo(log: Logger): void {
  const write = ({ level, message, meta }: { level: LogLevel; message: string; meta?: object }): void =>
    log[LEVELS[level]](meta ?? {}, message);
  Runtime.install({
    logger: new DefaultLogger('TRACE', write),
    telemetryOptions: { logging: { filter: { core: 'WARN', other: 'ERROR' }, forward: {} } },
  });
}
