import { Command } from 'commander';
import { byColumn } from '../../domain/parameters.ts';
import type { ImageMetadata } from '../../images/index.ts';
import { printJson, printLine, table } from '../display/output.ts';
import { type JsonOptions, jsonOption } from '../options/common-options.ts';
import { imageOrigin } from './render/image-origin.ts';

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
    else printLine(describe(file, origin));
  }
}

const describe = (file: string, origin: ImageMetadata): string =>
  [
    file,
    table([
      ...parametersOf(origin).map(([name, value]) => [`  ${name}`, value]),
      ...(origin.decode === undefined ? [] : [['  decoded', 'in one piece']]),
      ...(origin.tileLatents === undefined
        ? []
        : [['  decoded', `in tiles of ${origin.tileLatents} latents, for want of memory`]]),
      ...(origin.quality === undefined ? [] : [['  quality', String(origin.quality)]]),
      ['  bundle', `${origin.bundleName}, digest ${origin.bundleDigest}`],
      ['  render key', origin.renderKey],
      ['  software', origin.software],
    ]),
  ].join('\n');

/** By their columns, but that all pixels are told beside the size. */
function parametersOf(origin: ImageMetadata): [string, string][] {
  const { width, height, ...others } = byColumn(origin);
  const size = `${origin.size}: ${width}×${height}, sampled at ${origin.binWidth}×${origin.binHeight}`;
  return Object.entries({ ...others, size })
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => [name.replaceAll('_', ' '), String(value) || 'none']);
}
