import { isUtf8 } from 'node:buffer';
import { GRID_COLUMNS } from '../../domain/parameters.ts';
import { CATALOG_LIMITS } from '../catalog-limits.ts';
import { choice, literal, sequence, type Texts } from './choices.ts';
import { MAX_DEPTH, parseTerm, type Template, TemplateFault } from './template.ts';

/** Reads the terms file `<name>.txt`; `null` if there is none. No part of the name begins with a dot. */
export type ReadTerms = (name: string) => Promise<Uint8Array | null>;

/** The terms files of one folder. Each is read once, when a prompt first names it. */
export class Terms {
  readonly #read: ReadTerms;
  readonly #folder: string;
  readonly #lists = new Map<string, Texts>();

  /** @param folder its name in messages */
  constructor(read: ReadTerms, folder: string) {
    this.#read = read;
    this.#folder = folder;
  }

  /**
   * All texts that a template can make.
   *
   * @throws TemplateFault for a terms file that is missing, empty, invalid or part of a cycle
   */
  async textsOf(template: Template, inside: readonly string[] = []): Promise<Texts> {
    const parts: Texts[] = [];
    for (const part of template) {
      if (typeof part === 'string') parts.push(literal(part));
      else if ('terms' in part) parts.push(await this.#list(part.terms, inside));
      else parts.push(choice(null, await this.#all(part.alternatives, inside)));
    }
    return sequence(parts);
  }

  async #list(name: string, inside: readonly string[]): Promise<Texts> {
    if (inside.includes(name)) {
      throw new TemplateFault('terms files without a cycle', [...inside, name].join(' → '));
    }
    if (inside.length >= MAX_DEPTH) throw new TemplateFault(`terms at most ${MAX_DEPTH} deep`, inside.join(' → '));
    const known = this.#lists.get(name);
    if (known !== undefined) return known;
    const texts = choice(labelOf(name), await this.#all(await this.#templates(name), [...inside, name]));
    this.#lists.set(name, texts);
    return texts;
  }

  async #all(templates: readonly Template[], inside: readonly string[]): Promise<Texts[]> {
    const all: Texts[] = [];
    for (const template of templates) all.push(await this.textsOf(template, inside));
    return all;
  }

  async #templates(name: string): Promise<Template[]> {
    const bytes = await this.#read(name);
    if (bytes === null) throw new TemplateFault(`a terms file ${name}.txt in ${this.#folder}`, 'none');
    const lines = linesOf(bytes, `${name}.txt`);
    if (lines.length === 0) throw new TemplateFault(`a term in ${name}.txt`, 'none');
    return lines.map(({ line, text }) => {
      try {
        return parseTerm(text);
      } catch (error) {
        if (!(error instanceof TemplateFault)) throw error;
        throw new TemplateFault(`${name}.txt, line ${line}: ${error.expected}`, error.found);
      }
    });
  }
}

/** Label of a choice from a terms file. The manifest also labels the row, and choices in our columns, so avoid those names. */
const labelOf = (name: string): string =>
  name === 'row' || GRID_COLUMNS.some((column) => column === name) ? `terms/${name}` : name;

/** Terms, one per line, without empty lines and lines that begin with `#`. */
function linesOf(bytes: Uint8Array, file: string): { line: number; text: string }[] {
  if (bytes.length > CATALOG_LIMITS.termsBytes) {
    throw new TemplateFault(`at most ${CATALOG_LIMITS.termsBytes} bytes in ${file}`, `${bytes.length}`);
  }
  if (!isUtf8(bytes)) throw new TemplateFault(`text in UTF-8 in ${file}`, 'other bytes');
  return new TextDecoder()
    .decode(bytes)
    .split(/\r\n?|\n/)
    .map((text, index) => ({ line: index + 1, text: text.trim() }))
    .filter(({ text }) => text !== '' && !text.startsWith('#'));
}
