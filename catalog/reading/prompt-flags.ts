/** `written` is its name in messages: `--steps`. A flag without a value has an empty one. */
export type Flag = { name: string; written: string; value: string };

type SplitLine = {
  /** The text before the first flag. */
  bare: string;
  flags: Flag[];
  fault: { expected: string; found: string } | null;
};

/** Two hyphens and a letter at the beginning of a word; " -- " and "well--known" are text. */
const FLAG = /(?<=^|\s)--([A-Za-z][^\s=]*)(?:=|\s+|$)/g;

/**
 * A quoted value, maybe in curly quotes, ends at the matching quote; in double quotes a backslash escapes quotes and
 * itself, as in a shell.
 */
const QUOTED = /"((?:[^"\\]|\\.)*)"(?=\s|$)|'([^']*)'(?=\s|$)|[“„]([^“”]*)[“”](?=\s|$)/y;

/** Splits a line into the text before its flags, and the flags. Quotes around a value are removed. */
export function splitFlags(line: string): SplitLine {
  const flags: Flag[] = [];
  FLAG.lastIndex = 0;
  let found = FLAG.exec(line);
  const bare = line.slice(0, found?.index).trim();
  while (found !== null) {
    const [, name = ''] = found;
    const written = `--${name}`;
    const start = FLAG.lastIndex;
    QUOTED.lastIndex = start;
    const quotes = QUOTED.exec(line);
    if (quotes === null && /^["'“„]/.test(line.slice(start)))
      return { bare, flags, fault: openQuote(written, line[start]!) };
    // Flags inside a quoted value do not count.
    FLAG.lastIndex = quotes === null ? start : QUOTED.lastIndex;
    const next = FLAG.exec(line);
    const rest = line.slice(start, next?.index).trim();
    if (quotes !== null && rest !== quotes[0]) {
      const expected = `only another flag after the quoted value of ${written}`;
      return {
        bare,
        flags,
        fault: { expected, found: JSON.stringify(rest.slice(quotes[0].length).trim().slice(0, 30)) },
      };
    }
    const value = quotes === null ? rest : (quotes[3] ?? quotes[2] ?? quotes[1]!.replaceAll(/\\(["\\])/g, '$1'));
    flags.push({ name, written, value });
    found = next;
  }
  return { bare, flags, fault: null };
}

const openQuote = (written: string, quote: string) => ({
  expected: `a closing ${quote} and a space, or the end, after the value of ${written}; inside double quotes, write a quote as \\"`,
  found: 'none',
});
