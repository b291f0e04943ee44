import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../infra/build/kept-build.mjs';

const NOT_OURS = ['node_modules', '.git', '.pixart', 'out', 'built', 'types'];

/** All files below a folder of the repository, by their paths from its root. */
export function filesBelow(folder = ''): string[] {
  return readdirSync(path.join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (!entry.isDirectory()) return [name];
    return NOT_OURS.includes(entry.name) ? [] : filesBelow(name);
  });
}

export const textOf = (file: string): string => readFileSync(path.join(ROOT, file), 'utf8');

/** Without the lines of code blocks. */
const proseOf = (markdown: string): string => markdown.replaceAll(/^ *```.*?^ *```$/gms, '');

/** Headings, as people read them. */
export const headingsOf = (markdown: string): string[] =>
  [...proseOf(markdown).matchAll(/^#+ (.+)$/gm)].map(([, heading]) => heading!.replaceAll('`', ''));
