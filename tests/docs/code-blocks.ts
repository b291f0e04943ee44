import { textOf } from './markdown-files.ts';

export type Block = { language: string; lines: string[] };

/** The code blocks of a document, in its order. */
export const blocksOf = (document: string): Block[] =>
  [...textOf(document).matchAll(/^( *)```(\w*)\n(.*?)^\1```$/gms)].map(([, , language, text]) => ({
    language: language!,
    lines: text!.trimEnd().split('\n'),
  }));

/** The commands of a block, each as a shell takes it. */
export const commandsOf = ({ lines }: Block): string[] =>
  lines
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
