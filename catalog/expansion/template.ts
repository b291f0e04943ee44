import { Fault } from '../fault.ts';

/** A text with choices: `a {red|dark {green|blue}} apple on __backgrounds__`. */
export type Template = readonly Part[];

/** Literal text, a choice between templates, or the name of a terms file to choose from. */
type Part = string | { alternatives: readonly Template[] } | { terms: string };

/** A mistake in a text with choices, or in a terms file. */
export class TemplateFault extends Fault {}

/** Deeper than anyone nests, and shallow enough for recursion. */
export const MAX_DEPTH = 20;

const ESCAPED = /\\([{}|_\\])/y;
/** The text between "__" and "__": words with single underscores, so that the next double underscore ends it. */
const BETWEEN = String.raw`(?!_)((?:[^\s{}|_]|_(?!_))+(?:[ \t]+(?:[^\s{}|_]|_(?!_))+)*)`;
const TERMS = new RegExp(`__${BETWEEN}__`, 'y');
const TERMS_PART = String.raw`[\p{L}\p{N}](?:[\p{L}\p{N}_-]| (?=[\p{L}\p{N}_-]))*`;
const TERMS_NAME = new RegExp(`^${TERMS_PART}(/${TERMS_PART})*$`, 'u');
const LITERAL = /[^\\{}|_$<[]+/y;

/** SwarmUI's tags to choose, repeat and remember (docs/Features/Prompt Syntax.md). */
const SWARM_TAG = String.raw`<(random|wildcard|wc|alternate|alt|fromto|repeat|setvar|var|setmacro|macro|preset|p|param|comment)(\[[^\]>]*\])?:`;

/** Syntax of other tools that would count as plain text here, with what to write instead. */
const FOREIGN: [start: RegExp, expected: string][] = [
  [/\$\{/y, 'no variables; write the text out, or "\\{" for a brace'],
  [
    /(?<!_)__[ \t]*[\p{L}\p{N}][\p{L}\p{N} \t/_-]{0,80}?[ \t]*__(?!_)/uy,
    'no space after the first "__" of terms or before the last, or "\\_"',
  ],
  [new RegExp(SWARM_TAG, 'iy'), 'choices as {a|b} and terms as __name__'],
  [/\[(?:[^[\]{}|\\]|\{[^{}]*\})*\|[^[\]]*\]/y, 'choices as {a|b}, or "\\|" for the character itself'],
  [/\|\|[^|]+(?:\|[^|]+)+\|\|/y, 'choices as {a|b}, or "\\|" for the character itself'],
  [/\[\[[^[\]]*,[^[\]]*\]\]/y, 'choices as {a|b} instead of a list in [[ ]]'],
];
const FOREIGN_AT_BRACE: [start: RegExp, expected: string][] = [
  [/%/y, 'choices as {a|b} instead of a Jinja template'],
  [/\s*[~@!]/y, 'alternatives without "~", "@" or "!" before them; all are used, or sampled with --sample'],
];
const FOREIGN_IN_BRACES: [start: RegExp, expected: string][] = [
  [/\s*[\d-]+\s*\$\$/y, 'one alternative at a time, without a number and "$$"'],
  [/\s*\d*\.?\d+\s*::/y, 'alternatives without weights; all are used, or sampled with equal probability'],
];
const FOREIGN_IN_TERMS: [start: RegExp, expected: string][] = [
  [/\s*\d*\.?\d+\s*::/y, 'terms without weights; all are used, or sampled with equal probability'],
  [/.*\s#(\s|$)/y, 'a comment on a line of its own, or the term without " # "'],
];

/**
 * Parses `{a|b}`, which may be nested, and `__name__`; a backslash escapes `{`, `}`, `|`, `_` and itself.
 * The syntax is the non-random part of Dynamic Prompts (sd-dynamic-prompts, docs/SYNTAX.md).
 *
 * @throws TemplateFault
 */
export function parseTemplate(text: string): Template {
  const reader = new TemplateReader(text);
  const template = reader.sequence(0);
  if (!reader.atEnd) throw new TemplateFault('a "{" before the "}", or "\\}" for the character itself', reader.here());
  return template;
}

/**
 * Parses a line of a terms file.
 *
 * @throws TemplateFault
 */
export function parseTerm(text: string): Template {
  new TemplateReader(text).refuse(FOREIGN_IN_TERMS);
  return parseTemplate(text);
}

const TEMPLATE_LIKE = new RegExp(
  String.raw`\{[^{}]*[|,]|\{%|__${BETWEEN}__|\|\|[^|]+(?:\|[^|]+)+\|\||\$\{|${SWARM_TAG}`,
  'i',
);

/** Whether a text would expand, or be refused, if it were read as a template. */
export const looksLikeTemplate = (text: string): boolean => TEMPLATE_LIKE.test(text);

/** `{red, blue}` is a choice in Midjourney, and often a mistake. */
const hasComma = (part: Part): boolean => typeof part === 'string' && part.includes(',');

class TemplateReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The text at the current position, for messages. */
  here(): string {
    return `${JSON.stringify(this.#text.slice(this.#at, this.#at + 30))} at character ${this.#at + 1}`;
  }

  /** Parses to the end of the text or, inside braces, to the `|` or `}` that ends the alternative. */
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
    this.#at += 1;
    this.refuse(FOREIGN_AT_BRACE);
    const alternatives = [this.#alternative(depth)];
    while (this.#text[this.#at] === '|') {
      this.#at += 1;
      alternatives.push(this.#alternative(depth));
    }
    if (this.atEnd) throw new TemplateFault('a "}" for every "{", or "\\{" for the character itself', opening);
    this.#at += 1;
    if (alternatives.length === 1 && alternatives[0]!.some(hasComma)) {
      throw new TemplateFault('"|" between alternatives, or "\\{" for the character itself', opening);
    }
    return { alternatives };
  }

  #alternative(depth: number): Template {
    this.refuse(FOREIGN_IN_BRACES);
    return this.sequence(depth);
  }

  #terms(): Part | null {
    const start = this.here();
    const terms = this.#match(TERMS)?.[1];
    if (terms === undefined) return null;
    if (TERMS_NAME.test(terms)) return { terms };
    throw new TemplateFault('between "__" and "__" a name of letters, digits, single spaces, "-", "_" and "/"', start);
  }

  #literal(): string {
    this.refuse(FOREIGN);
    const escaped = this.#match(ESCAPED)?.[1];
    if (escaped !== undefined) return escaped;
    const run = this.#match(LITERAL)?.[0];
    if (run !== undefined) return run;
    this.#at += 1;
    return this.#text[this.#at - 1]!;
  }

  /** @throws TemplateFault if one of these begins at the current position */
  refuse(foreign: typeof FOREIGN): void {
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
