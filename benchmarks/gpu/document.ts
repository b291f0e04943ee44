import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../../domain/user-error.ts';
import { ROOT } from '../bench/real-bundle.ts';

/** Below the repository. */
export const DOCUMENT_NAME = 'docs/performance.md';

export const DOCUMENT = path.join(ROOT, DOCUMENT_NAME);

const BEGIN = '<!-- gpu -->';
const END = '<!-- /gpu -->';

/** @throws Error where the document has no such place */
export function withTables(document: string, tables: string): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`expected ${BEGIN} and ${END} in the document`);
  return `${document.slice(0, begin + BEGIN.length)}\n\n${tables}\n\n${document.slice(end)}`;
}

/**
 * Replaces the text between the markers in docs/performance.md.
 *
 * @throws UserError if the document is missing, as in a kit
 */
export async function writeTables(tables: string): Promise<void> {
  if (!existsSync(DOCUMENT))
    throw new UserError(`--tables: expected ${DOCUMENT_NAME} in ${ROOT}. Run it in a checkout, with the results file.`);
  await writeFile(DOCUMENT, withTables(await readFile(DOCUMENT, 'utf8'), tables));
}
