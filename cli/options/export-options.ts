import { type Command, InvalidArgumentError, Option } from 'commander';
import type { ImageFormat } from '../../client/index.ts';
import { IMAGE_FORMATS } from '../../domain/image-format.ts';
import { density, severalOf, wholeNumber } from './values.ts';

/** How exported pictures are to look. */
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
      new Option('--side <pixels>', 'the longer side at 1x; several with commas').argParser(
        severalOf(wholeNumber(1, 16_384)),
      ),
    )
    .addOption(
      new Option(
        '--density <1x,2x,3x>',
        'a file for each, @2x and @3x in its name; without --side the picture as it is has the largest',
      ).argParser(severalOf(density)),
    )
    .addOption(
      new Option('--format <png,webp,avif,jpeg>', 'a file in each; otherwise as the picture is').argParser(
        severalOf(imageFormat),
      ),
    )
    .addOption(
      new Option('--quality <1-100>', 'of webp, avif or jpeg files; otherwise 90').argParser(wholeNumber(1, 100)),
    )
    .option('--transparent', 'without the background, for pictures of the shipped models')
    .option('--trim', 'without what is empty around the subject; an atlas tells where it was')
    .addOption(
      new Option('--padding <pixels>', 'empty pixels around a file, and around the sprites of a sheet').argParser(
        wholeNumber(0, 1_024),
      ),
    )
    .option('--png-parameters', "the parameters in PNG files in the form of AUTOMATIC1111's web UI, prompts included");

function imageFormat(text: string): ImageFormat {
  const found = IMAGE_FORMATS.find((format) => format === text);
  if (found !== undefined) return found;
  throw new InvalidArgumentError(`Expected some of ${IMAGE_FORMATS.join(', ')}.`);
}
