import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ImageFormat } from '../../client/index.ts';
import { IMAGE_FORMATS } from '../../domain/image-format.ts';
import { density, severalOf, wholeNumber } from './values.ts';

/** What exported images should look like. */
export type LookOptions = {
  side?: number[];
  density?: number[];
  format?: ImageFormat[];
  quality?: number;
  transparent?: true;
  trim?: true;
  padding?: number;
  pngParameters?: true;
};

export const addLookOptions = (command: Command): Command =>
  command
    .addOption(
      new Option(
        '--side <pixels>',
        'longer side at 1x, before trimming and padding; separate several with commas',
      ).argParser(severalOf(wholeNumber(1, 16_384))),
    )
    .addOption(
      new Option(
        '--density <1x,2x,3x>',
        'write a file per density, with @2x and @3x in the names; without --side, the largest is the original size',
      ).argParser(severalOf(density)),
    )
    .addOption(
      new Option(
        '--format <png,webp,avif,jpeg>',
        'write a file per format; default: the format of the image',
      ).argParser(severalOf(imageFormat)),
    )
    .addOption(
      new Option('--quality <1-100>', 'quality of webp, avif or jpeg files; default: 90').argParser(
        wholeNumber(1, 100),
      ),
    )
    .option('--transparent', 'remove the background, for images of the shipped models')
    .option(
      '--trim',
      'trim empty space around the subject after resizing to --side; an atlas records where the subject was',
    )
    .addOption(
      new Option('--padding <pixels>', 'empty pixels around each file, and around the sprites of a sheet').argParser(
        wholeNumber(0, 1_024),
      ),
    )
    .option('--png-parameters', "write parameters into PNG files as AUTOMATIC1111's web UI does, prompts included");

function imageFormat(text: string): ImageFormat {
  const found = IMAGE_FORMATS.find((format) => format === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Expected one or more of ${IMAGE_FORMATS.join(', ')}.`);
}
