import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path/posix';
import { expect, test } from 'vitest';

const DOCUMENTS = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && existsSync(file));

/** Prose without code blocks, whose brackets are not links. */
const proseOf = (file: string): string => readFileSync(file, 'utf8').replaceAll(/^```.*?^```/gms, '');

/** The anchors that GitHub gives a document's headings. */
function anchorsOf(file: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading] of proseOf(file).matchAll(/^#+ (.+)$/gm)) {
    const shown = heading!.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = shown.replaceAll(/[^\p{Letter}\p{Number}_ -]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let again = 1; anchors.has(unique); again += 1) unique = `${anchor}-${again}`;
    anchors.add(unique);
  }
  return anchors;
}

/** Why a link leads nowhere; `null` if it leads somewhere, or out of the repository. */
function faultOf(link: string, from: string): string | null {
  if (/^[a-z]+:/.test(link)) return null;
  const [path = '', anchor] = link.split('#');
  const target = path === '' ? from : join(dirname(from), path);
  if (!existsSync(target)) return `${from}: ${link}: there is no ${target}`;
  if (anchor === undefined || !target.endsWith('.md')) return null;
  return anchorsOf(target).has(anchor) ? null : `${from}: ${link}: ${target} has no such heading`;
}

test('every link of a document leads to a file, and to a heading that it has', () => {
  const links = DOCUMENTS.flatMap((from) =>
    [...proseOf(from).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => ({ from, link: link! })),
  );
  expect(links.length).toBeGreaterThan(DOCUMENTS.length);
  expect(links.map(({ from, link }) => faultOf(link, from)).filter((fault) => fault !== null)).toEqual([]);
});

test('the index lists every decision once, by its number', () => {
  const folder = 'docs/decisions';
  const files = DOCUMENTS.filter((file) => /^docs\/decisions\/\d{3}-.*\.md$/.test(file)).map((file) =>
    file.slice(folder.length + 1),
  );
  const listed = [...proseOf(`${folder}/README.md`).matchAll(/^- \[(\d{3})\]\((\S+)\)/gm)];
  expect(listed.filter(([, number, file]) => !file!.startsWith(`${number}-`))).toEqual([]);
  expect(listed.map(([, , file]) => file)).toEqual(files.toSorted());
});
