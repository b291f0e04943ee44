import { Command } from 'commander';
import type { ImageMetadata } from '../../images/index.ts';
import { printJson, printLine, table } from '../display/output.ts';
import { imageOrigin } from '../image-file.ts';
import { type JsonOptions, jsonOption } from '../options.ts';

const examples = `
Examples:
  $ npx pixart-batch inspect out/batches/spring/fox.png
  $ npx pixart-batch inspect out/batches/spring/*.png --json
  $ npx pixart-batch render --like out/batches/spring/fox.png --out again.png
`;

export const inspectCommand = (): Command =>
  new Command('inspect')
    .description('print what made an image, as the file itself says it')
    .argument('<images...>', 'files that pixart-batch made')
    .addOption(jsonOption())
    .addHelpText('after', examples)
    .action(inspect);

async function inspect(files: string[], { json }: JsonOptions): Promise<void> {
  for (const file of files) {
    const origin = await imageOrigin(file);
    if (json) printJson({ file, ...origin });
    // What a stranger's file says may hold control sequences of a terminal.
    else printLine(describe(file, origin).replaceAll(/[^\P{Cc}\n]/gu, '\u{fffd}'));
  }
}

const describe = (file: string, origin: ImageMetadata): string =>
  [
    file,
    table([
      ['  prompt', origin.prompt],
      ['  negative prompt', origin.negativePrompt || 'none'],
      ['  size', `${origin.size}: ${origin.width}×${origin.height}, sampled at ${origin.binWidth}×${origin.binHeight}`],
      ['  seed', String(origin.seed)],
      ['  steps', String(origin.steps)],
      ['  guidance', String(origin.guidance)],
      ...(origin.quality === undefined ? [] : [['  quality', String(origin.quality)]]),
      ['  bundle', `${origin.bundleName}, digest ${origin.bundleDigest}`],
      ['  render key', origin.renderKey],
      ['  software', origin.software],
    ]),
  ].join('\n');
