import { build } from 'esbuild';
import { expect, test } from 'vitest';
import { ROOT } from '../../infra/build/kept-build.mjs';
import { ENTRIES, SOURCES } from '../../workers/workflow-bundle.ts';

test('the workflows’ code is made of their own folder and the domain, so that reading catalogs otherwise leaves it as it is', async () => {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    bundle: true,
    packages: 'external',
    format: 'esm',
    outdir: 'unwritten',
    write: false,
    metafile: true,
  });
  const files = Object.keys(metafile.inputs);
  expect(files).toContain('domain/parameters.ts');
  expect(files.filter((file) => !/^(workflows|domain)\//.test(file))).toEqual([]);
  expect(SOURCES).toEqual(expect.arrayContaining(['workflows', 'domain', 'package.json']));
});
