/** `json`: an object a line, for programs. `text`: for a person in front of it. */
export const LOG_FORMATS = ['json', 'text'] as const;

export type LogFormat = (typeof LOG_FORMATS)[number];

/** People read terminals; everything else is read by programs. */
export const usualLogFormat = (stream: { isTTY?: boolean } = process.stderr): LogFormat =>
  stream.isTTY ? 'text' : 'json';
