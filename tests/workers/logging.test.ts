import { pino } from 'pino';
import { expect, test } from 'vitest';
import { readableLines, usualLogFormat } from '../../workers/log-format.ts';
import { logLevel, temporalLevel, temporalLines } from '../../workers/logging.ts';

function written(log: (to: pino.DestinationStream) => void): string {
  let text = '';
  log({
    write(line) {
      text += line;
    },
  });
  return text;
}

test('a terminal gets text, a file gets JSON', () => {
  expect(usualLogFormat({ isTTY: true })).toBe('text');
  expect(usualLogFormat({})).toBe('json');
});

test('text names the time, the level, the message and what it is about', () => {
  const text = written((to) => {
    const log = pino({ name: 'x', timestamp: () => ',"time":"2026-01-31T09:30:05.123Z"' }, readableLines(to));
    log.info({ batch: 'night', job: 'fox 1', attempt: 2 }, 'image rendered');
  });
  expect(text).toBe('09:30:05 info  image rendered  batch=night job="fox 1" attempt=2\n');
});

test('text of an error ends with its stack', () => {
  const text = written((to) => {
    const { err } = pino.stdSerializers;
    const log = pino({ timestamp: pino.stdTimeFunctions.isoTime, serializers: { error: err } }, readableLines(to));
    log.warn({ error: new Error('no memory') }, 'Activity failed');
  });
  expect(text).toMatch(/warn {2}Activity failed\nError: no memory\n {4}at /);
});

test("Temporal's SDK words only what the log shows", () => {
  const level = (name: string) => temporalLevel(pino({ level: name }));
  expect(['trace', 'debug', 'info', 'warn', 'error', 'silent'].map(level)).toEqual([
    ...['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'ERROR'],
  ]);
});

test("an activity's token is not logged", () => {
  const text = written((to) => {
    const meta = { taskToken: 'sesame', workflowId: 'batch/night/1-0', attempt: 3 };
    temporalLines(pino({}, to))({ level: 'WARN', message: 'Activity failed', meta });
  });
  expect(JSON.parse(text)).toMatchObject({
    level: 40,
    msg: 'Activity failed',
    workflowId: 'batch/night/1-0',
    attempt: 3,
  });
  expect(text).not.toContain('sesame');
});

test('the level of a log may be written in any case, and an unknown one is refused with those there are', () => {
  expect(logLevel('WARN')).toBe('warn');
  expect(logLevel('')).toBe('info');
  expect(logLevel()).toBe('info');
  expect(() => logLevel('loud')).toThrow(
    'LOG_LEVEL: expected one of trace, debug, info, warn, error, fatal, silent, found "loud"',
  );
});
