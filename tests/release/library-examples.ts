import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { ROOT } from '../../infra/build/kept-build.mjs';

/** `name`: the call that it shows; where it shows several, the file that it stands in. */
export type Example = { name: string; code: string };

/** The `@example`s of a source's doc comments. */
function examplesOf(file: string): Example[] {
  const [, ...parts] = readFileSync(path.join(ROOT, 'client', file), 'utf8').split(' * @example\n * ```js\n');
  return parts.map((part) => {
    const [code = '', rest = ''] = part.split(' * ```\n');
    const about = /^[^/]*\*\/\nexport (?:async )?(?:function\*?|const) (\w+)/.exec(rest)?.[1];
    return { name: about ?? path.basename(file, '.ts'), code: code.replaceAll(/^ \* ?/gm, '') };
  });
}

function examplesOfPage(): Example[] {
  const [, ...parts] = readFileSync(path.join(ROOT, 'docs/library.md'), 'utf8').split('\n```js\n');
  return parts.map((part, index) => ({ name: `page${index}`, code: part.split('\n```\n')[0] ?? '' }));
}

/** All examples of the library: those of its calls, and those of its page. */
export const libraryExamples = (): Example[] => [
  ...readdirSync(path.join(ROOT, 'client'))
    .filter((file) => file.endsWith('.ts'))
    .flatMap(examplesOf),
  ...examplesOfPage(),
];
