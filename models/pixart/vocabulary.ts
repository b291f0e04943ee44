import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { UserError } from '../../domain/user-error.ts';
import type { Bundle } from './bundle.ts';

const name = z.string().min(1).max(100);

/** `vocabulary.json`, which is beside `bundle.json` and not listed in it: neither pictures nor digests depend on it. */
const vocabularySchema = z.strictObject({
  format: z.literal(1),
  /** Things by their usual name, each with its other names: synonyms, and what several of it are called. */
  things: z
    .record(name, z.array(name).max(100))
    .refine((things) => Object.keys(things).length > 0 && Object.keys(things).length <= 10_000, '1 to 10,000 things'),
});

/** What a bundle's model was trained to draw, where that can be listed. */
export type Vocabulary = {
  /** Usual names, in the order of the file. */
  things: string[];
  /** Whether a text names one of them, in whatever case, as whole words. */
  isNamedIn(text: string): boolean;
};

const LARGEST = 2 ** 20;

/**
 * Reads a bundle's vocabulary. `null` where it has none, as most: what a large model can draw is in no list.
 *
 * @throws UserError for an invalid vocabulary file
 */
export async function readVocabulary({ folder }: Bundle): Promise<Vocabulary | null> {
  const file = path.join(folder, 'vocabulary.json');
  const bytes = await readFile(file).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw new UserError(`${file}: expected a readable vocabulary, found ${error.message}`);
  });
  if (bytes === null) return null;
  const parsed = vocabularySchema.safeParse(bytes.length > LARGEST ? null : jsonOf(bytes));
  if (parsed.success) return vocabularyOf(parsed.data.things);
  throw new UserError(
    `${file} is not a valid vocabulary; fix it, or remove it, which does not affect images:\n${z.prettifyError(parsed.error)}`,
  );
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return null;
  }
}

/** Letters of full width and ligatures are the same letters. */
const wordsOf = (text: string): string[] =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

/** @param things other names by the usual one */
export function vocabularyOf(things: Readonly<Record<string, readonly string[]>>): Vocabulary {
  const byFirst = new Map<string, string[][]>();
  for (const [first, ...rest] of Object.entries(things).flatMap(([thing, others]) => [thing, ...others].map(wordsOf))) {
    if (first === undefined) continue;
    const like = byFirst.get(first);
    if (like === undefined) byFirst.set(first, [rest]);
    else like.push(rest);
  }
  return {
    things: Object.keys(things),
    isNamedIn(text) {
      const words = wordsOf(text);
      const follows = (rest: readonly string[], at: number) =>
        rest.every((word, ahead) => words[at + 1 + ahead] === word);
      return words.some((word, at) => byFirst.get(word)?.some((rest) => follows(rest, at)));
    },
  };
}
