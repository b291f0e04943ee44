import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { keptBuild, ROOT } from '../infra/build/kept-build.mjs';

/** The page's script and style. */
export async function pageCode(): Promise<{ script: string; style: string }> {
  const build = await keptBuild(
    'review-page',
    ['review-page/browser', 'review-page/format.ts', 'package.json', 'package-lock.json'],
    makePageCode,
  );
  const [script, style] = await Promise.all(
    ['main.js', 'style.css'].map((name) => readFile(path.join(build, name), 'utf8')),
  );
  return { script: script!, style: style! };
}

export async function makePageCode(folder: string): Promise<void> {
  const { build } = await import('esbuild');
  await build({
    entryPoints: ['main.ts', 'style.css'].map((name) => path.join(ROOT, 'review-page', 'browser', name)),
    outdir: folder,
    bundle: true,
    format: 'iife',
    minify: true,
    target: 'es2022',
  });
}
