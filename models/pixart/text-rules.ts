import { isPlain, pythonRegex } from './python-regex.ts';

/**
 * What is replaced in a text, and by what. Third, for a pattern that finds something in every text and seldom changes
 * it: what it changes, in plain texts.
 */
export type Rule = readonly [pattern: string, replacement: string, changes?: string];

/** Replacements in the order in which they are made, in Python's regular expressions. */
export class TextRules {
  readonly #rules: readonly Rule[];
  readonly #changes: RegExp;
  #plain: Made[] | undefined;
  #all: Made[] | undefined;

  constructor(rules: readonly Rule[]) {
    this.#rules = rules;
    this.#changes = new RegExp(rules.map(([pattern, , changes = pattern]) => `(?:${changes})`).join('|'));
  }

  apply(text: string): string {
    if (!isPlain(text)) {
      this.#all ??= this.#rules.map(([pattern, replacement]) => [pythonRegex(pattern), replacement]);
      return replaced(text, this.#all);
    }
    // Nothing for any of them: then each would leave the text to the next as it is.
    if (!this.#changes.test(text)) return text;
    this.#plain ??= this.#rules.map(([pattern, replacement]) => [new RegExp(pattern, 'g'), replacement]);
    return replaced(text, this.#plain);
  }
}

type Made = [pattern: RegExp, replacement: string];

const replaced = (text: string, list: readonly Made[]): string =>
  list.reduce((result, [pattern, replacement]) => result.replace(pattern, replacement), text);
