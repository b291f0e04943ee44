/** A text in which something is left to choose: `a {red|dark {green|blue}} apple on __backgrounds__`. */
export type Template = readonly Part[];

/** Literal text, a choice between templates, or the name of a file of terms to choose from. */
type Part = string | { alternatives: readonly Template[] } | { terms: string };

/** What a person has to put right in a text with choices, or in a file of terms. */
export class TemplateFault extends Error {
  readonly expected: string;
  readonly found: string;

  constructor(expected: string, found: string) {
    super(`expected ${expected}, found ${found}`);
    this.expected = expected;
    this.found = found;
  }
}

/** Deeper than any person nests, and shallow enough for recursion. */
export const MAX_DEPTH = 20;

const ESCAPED = /\\([{}|_\\])/y;
const TERMS = /__(?!_)([^\s{}|]+?)__/y;
const TERMS_NAME = /^[\p{L}\p{N}][\p{L}\p{N}_-]*(\/[\p{L}\p{N}][\p{L}\p{N}_-]*)*$/u;
const LITERAL = /[^\\{}|_$<]+/y;

/** What means something in other tools and would be taken for text here, with what to write instead. */
const FOREIGN: [start: RegExp, expected: string][] = [
  [/\$\{/y, 'no variables; write the text out, or "\\{" for a brace'],
  [/<(random|wildcard|wc):/y, 'choices as {a|b} and terms as __name__'],
];
const FOREIGN_IN_BRACES: [start: RegExp, expected: string][] = [
  [/\s*[\d-]+\s*\$\$/y, 'one alternative to be taken at a time, without a number and "$$"'],
  [/\s*\d*\.?\d+\s*::/y, 'alternatives without weights; every one is taken, or drawn with the same chance'],
];

/**
 * Reads `{a|b}`, nested as wanted, and `__name__`; a backslash takes the meaning from `{`, `}`, `|`, `_` and itself.
 * The words are those of Dynamic Prompts (sd-dynamic-prompts, docs/SYNTAX.md), of which this is the part without chance.
 *
 * @throws TemplateFault
 */
export function parseTemplate(text: string): Template {
  const reader = new TemplateReader(text);
  const template = reader.sequence(0);
  if (!reader.atEnd) throw new TemplateFault('a "{" before the "}", or "\\}" for the character itself', reader.here());
  return template;
}

/** True for a text that would mean more than itself if it were read as a template. */
export const looksLikeTemplate = (text: string): boolean => /\{[^{}]*\||__(?!_)[^\s{}|]+?__/.test(text);

class TemplateReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The text around the place of reading, as a message shows it. */
  here(): string {
    return `${JSON.stringify(this.#text.slice(this.#at, this.#at + 30))} at character ${this.#at + 1}`;
  }

  /** Reads to the end of the text or, inside braces, to the `|` or `}` that ends the alternative. */
  sequence(depth: number): Template {
    const parts: Part[] = [];
    while (!this.atEnd) {
      const next = this.#text[this.#at]!;
      if (next === '}' || (next === '|' && depth > 0)) break;
      parts.push(next === '{' ? this.#choice(depth + 1) : (this.#terms() ?? this.#literal()));
    }
    return parts;
  }

  #choice(depth: number): Part {
    if (depth > MAX_DEPTH) throw new TemplateFault(`braces at most ${MAX_DEPTH} deep`, 'more');
    const opening = this.here();
    const alternatives: Template[] = [];
    do {
      this.#at += 1;
      this.#refuse(FOREIGN_IN_BRACES);
      alternatives.push(this.sequence(depth));
    } while (this.#text[this.#at] === '|');
    if (this.atEnd) throw new TemplateFault('a "}" for every "{", or "\\{" for the character itself', opening);
    this.#at += 1;
    return { alternatives };
  }

  #terms(): Part | null {
    const start = this.here();
    const terms = this.#match(TERMS)?.[1];
    if (terms === undefined) return null;
    if (TERMS_NAME.test(terms)) return { terms };
    throw new TemplateFault('between "__" and "__" a name of letters, digits, "-", "_" and "/"', start);
  }

  #literal(): string {
    this.#refuse(FOREIGN);
    const escaped = this.#match(ESCAPED)?.[1];
    if (escaped !== undefined) return escaped;
    const run = this.#match(LITERAL)?.[0];
    if (run !== undefined) return run;
    this.#at += 1;
    return this.#text[this.#at - 1]!;
  }

  #refuse(foreign: typeof FOREIGN): void {
    for (const [start, expected] of foreign) {
      start.lastIndex = this.#at;
      if (start.test(this.#text)) throw new TemplateFault(expected, this.here());
    }
  }

  #match(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }
}
