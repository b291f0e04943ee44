import type { SigningConfig } from '../credentials/picture-signer.ts';
import { IMAGE_FORMATS, type ImageFormat } from '../domain/image-format.ts';
import { filledName } from '../domain/naming-template.ts';
import { UserError } from '../domain/user-error.ts';
import type { Choice } from './chosen-rows.ts';

/** How pictures should look; by default they stay as they are. */
export type LookRequest = {
  /** Pixels of the longer side at density 1, before trimming and padding; one file for each. Default: the picture's own size, at the largest density. */
  sides?: readonly number[] | undefined;
  /** Such as 1, 2 and 3; one file for each. */
  densities?: readonly number[] | undefined;
  /** One file for each; default: the picture's own format. */
  formats?: readonly ImageFormat[] | undefined;
  /** For lossy formats, 1 to 100. */
  quality?: number | undefined;
  transparent?: boolean | undefined;
  trim?: boolean | undefined;
  /** Empty pixels around a file, and around the sprites of a sheet (default: 2). */
  padding?: number | undefined;
  /** In PNG files: the parameters in the format of AUTOMATIC1111's web UI. */
  pngParameters?: boolean | undefined;
};

export type ExportRequest = Choice &
  LookRequest & {
    /** The batch's store: a folder, a `file:` or a `gs://` URL. */
    store: string;
    /** A folder, a bucket (`gs://bucket/prefix`), or a file that ends in `.zip`. */
    to: string;
    /** The template for file names: see docs/exporting-pictures.md. */
    name?: string | undefined;
    /** The name of a sprite sheet for all pictures, instead of one file each. */
    sheet?: string | undefined;
    /** Pixels of a sheet's longer side. */
    sheetSide?: number | undefined;
    /** Signs each file. */
    sign?: SigningConfig | undefined;
    /** Writes nothing, and reports what would be written. */
    dryRun?: boolean | undefined;
    /** Called with the number of pictures read so far, and of all to read. */
    onPictures?: ((done: number, pictures: number) => void) | undefined;
  };

export const EXPORT_LIMITS = {
  side: 16_384,
  density: 8,
  padding: 1_024,
  sheetSide: 8_192,
  files: 200_000,
  sprites: 20_000,
};

/** @throws UserError for values that are invalid or do not go together */
export function checkRequest(request: ExportRequest): void {
  const { formats = [], densities = [], sides = [], quality, padding = 0 } = request;
  const { side, density, padding: mostPadding } = EXPORT_LIMITS;
  for (const what of ['formats', 'densities', 'sides'] as const) {
    expect(request[what]?.length !== 0, `${what}: expected at least one, or the option left out, found an empty list`);
  }
  expect(
    formats.every((format) => IMAGE_FORMATS.includes(format)),
    `formats: expected some of ${IMAGE_FORMATS.join(', ')}, found ${formats.join(', ')}`,
  );
  expect(isWithin(sides, 1, side), `sides: expected whole pixels from 1 to ${side}, found ${sides.join(', ')}`);
  expect(isWithin(densities, 1, density), `densities: expected 1 to ${density}, found ${densities.join(', ')}`);
  expect(isWithin([padding], 0, mostPadding), `padding: expected 0 to ${mostPadding} pixels, found ${padding}`);
  expect(quality === undefined || isWithin([quality], 1, 100), `quality: expected 1 to 100, found ${quality}`);
  expect(
    !(request.transparent === true && formats.includes('jpeg')),
    'a transparent background: expected png, webp or avif, found jpeg, which has none',
  );
  if (request.sheet !== undefined) checkSheet(request.sheet, request);
  else expect(request.sheetSide === undefined, 'the side of a sheet: expected a sheet with it, found none');
}

function checkSheet(sheet: string, { formats = [], sides = [], sheetSide, pngParameters, sign }: ExportRequest): void {
  const most = EXPORT_LIMITS.sheetSide;
  const named = filledName([sheet], () => undefined);
  expect(
    'name' in named && named.name === sheet,
    `a sheet: expected a plain name such as icons, found ${JSON.stringify(sheet)}`,
  );
  expect(
    sheetSide === undefined || isWithin([sheetSide], 16, most),
    `the side of a sheet: expected 16 to ${most} pixels, found ${sheetSide}`,
  );
  expect(sides.length <= 1, `a sheet: expected one side for its images, found ${sides.join(', ')}`);
  expect(formats.length <= 1 && !formats.includes('jpeg'), 'a sheet: expected one of png, webp and avif as its format');
  expect(pngParameters !== true, 'a sheet: expected no PNG parameters, since it has many images');
  expect(sign === undefined, 'a sheet: expected no signing, since a credential is for one image');
}

function expect(isAsExpected: boolean, text: string): void {
  if (!isAsExpected) throw new UserError(text);
}

const isWithin = (numbers: readonly number[], least: number, most: number): boolean =>
  numbers.every((number) => Number.isInteger(number) && number >= least && number <= most);
