import { createHash } from 'node:crypto';
import { encode as escapeHtml } from 'html-entities';
import { scriptJson } from './encode.ts';
import type { SheetHead } from './format.ts';
import { pageCode } from './page-code.ts';

const digest = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/**
 * The page in one file, which loads nothing but its pieces, sprites and images: browsers would also ask the bucket's host
 * for an icon. Its policy allows only our script, and scripts that
 * it loads; nothing in a catalog can become a script.
 */
export async function makePage(head: SheetHead): Promise<Uint8Array> {
  const { script, style } = await pageCode();
  const policy = [
    "default-src 'none'",
    `script-src ${digest(script)} 'strict-dynamic'`,
    `style-src ${digest(style)}`,
    // Browsers differ in whether pictures in a folder are 'self'.
    "img-src 'self' file: data:",
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
<link rel="icon" href="data:,">
<title>${escapeHtml(head.batch)} – review page</title>
<style>${style}</style>
</head>
<body>
<noscript>This page needs JavaScript. The images are next to it.</noscript>
<script type="application/json" id="head">${scriptJson(head)}</script>
<script>${script}</script>
</body>
</html>
`);
}
