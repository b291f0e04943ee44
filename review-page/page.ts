import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';
import { encode as escapeHtml } from 'html-entities';
import { scriptJson } from './encode.ts';
import type { SheetHead } from './format.ts';

/** Made once in a process; it takes well under a second. */
let parts: { script: string; style: string } | undefined;

function bundle(): { script: string; style: string } {
  const { outputFiles } = buildSync({
    entryPoints: ['main.ts', 'style.css'].map((name) => fileURLToPath(new URL(`browser/${name}`, import.meta.url))),
    outdir: '.',
    bundle: true,
    write: false,
    format: 'iife',
    minify: true,
    target: 'es2022',
  });
  const textOf = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))!.text;
  return { script: textOf('.js'), style: textOf('.css') };
}

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * The page in one file, which loads nothing but its pieces, sprites and images. Its policy lets the one script run that is ours, and
 * what that script loads; nothing in a catalog can become a script.
 */
export function makePage(head: SheetHead): Uint8Array {
  parts ??= bundle();
  const { script, style } = parts;
  const policy = [
    "default-src 'none'",
    `script-src ${digest(script)} 'strict-dynamic'`,
    `style-src ${digest(style)}`,
    // Whether a folder's pictures are 'self' is the browser's choice.
    "img-src 'self' file:",
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
  return Buffer.from(`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${escapeHtml(head.batch)} – review page</title>
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript. The images lie beside it.</noscript>
<script type="application/json" id="head">${scriptJson(head)}</script>
<script>${script}</script>
</body>
</html>
`);
}
