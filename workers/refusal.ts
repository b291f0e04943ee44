import { UserError } from '../domain/user-error.ts';

/** It reveals nothing about what exists there or is allowed, because anyone who may start batches can read it. */
export function refusal(what: string, url: string, found = 'another'): UserError {
  const place = URL.canParse(url) ? new URL(url).href : url;
  return new UserError(
    `${what} ${place}: expected a place that the workers were started for, found ${found}. To allow it, start them with ` +
      `--allow ${quoted(place)} (or PIXART_ALLOW)`,
  );
}

/** For a shell: people copy it there. */
const quoted = (text: string): string => (/^[\w:/.%~@+,=-]*$/.test(text) ? text : `'${text.replaceAll("'", '%27')}'`);
