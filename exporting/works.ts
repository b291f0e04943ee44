import { UserError } from '../domain/user-error.ts';
import type { ManifestRow } from '../records/manifest-table.ts';
import { checkCollisions, checkNames, FileNames } from './file-names.ts';
import { pictureWork } from './picture-work.ts';
import { EXPORT_LIMITS, type ExportRequest } from './request.ts';
import { sheetWork } from './sheet-work.ts';
import { type Exporting, type NamedShowing, type Showing, showingsOf } from './showing.ts';
import type { Work } from './work.ts';

/** The default padding of a sheet, so that a GPU that samples beyond a sprite's edge reads empty pixels. */
const SHEET_PADDING = 2;
const USUAL_SHEET_SIDE = 4_096;

/** The work of exporting rows. @throws UserError if names are missing or collide, a picture is too small, or there are too many */
export const worksOf = (exporting: Exporting, rows: readonly ManifestRow[], request: ExportRequest): Work[] =>
  request.sheet === undefined
    ? fileWorks(exporting, rows, request)
    : sheetWorks(exporting, request.sheet, rows, request);

function fileWorks(exporting: Exporting, rows: readonly ManifestRow[], request: ExportRequest): Work[] {
  const names = new FileNames(exporting.batch, request.name, rows);
  const showings = named(
    rows.flatMap((row) => showingsOf(row, request)),
    names,
  );
  checkCount('files', showings, EXPORT_LIMITS.files);
  if (request.pngParameters === true) checkParameters(showings);
  checkQuality(request, showings);
  checkCollisions(showings.map(({ name, row }) => [name, row.id]));
  return showings.map((showing) => pictureWork(exporting, showing));
}

/** One sheet for each density; a sprite has the same name in all of them. */
function sheetWorks(exporting: Exporting, sheet: string, rows: readonly ManifestRow[], request: ExportRequest): Work[] {
  const { densities = [1], padding = SHEET_PADDING, sheetSide: side = USUAL_SHEET_SIDE } = request;
  const names = new FileNames(exporting.batch, request.name, rows);
  const showings = rows.flatMap((row) => showingsOf(row, { ...request, padding: 0 }, 'png'));
  checkQuality(request, showings);
  const sheetName = (density: number): string => (density === 1 ? sheet : `${sheet}@${density}x`);
  checkCollisions([...new Set(densities)].map((density) => [`${sheetName(density)}.json`, `sheet ${density}x`]));
  return [...new Set(densities)].map((density) => {
    const sprites = named(
      showings.filter((showing) => showing.density === density).map((showing) => ({ ...showing, density: 1 })),
      names,
    );
    checkCount('sprites', sprites, EXPORT_LIMITS.sprites);
    checkCollisions(sprites.map(({ name, row }) => [name, row.id]));
    return sheetWork(exporting, { name: sheetName(density), density, limits: { side, padding } }, sprites);
  });
}

function named(showings: readonly Showing[], names: FileNames): NamedShowing[] {
  const faults: { id: string; fault: string }[] = [];
  const found = showings.flatMap((showing) => {
    const filled = names.of(showing);
    if ('name' in filled) return [{ ...showing, name: filled.name }];
    faults.push({ id: showing.row.id, fault: filled.fault });
    return [];
  });
  checkNames(faults);
  return found;
}

function checkParameters(showings: readonly Showing[]): void {
  if (showings.some(({ look }) => look.hasParameters)) return;
  const found = [...new Set(showings.map(({ look }) => look.format))].join(', ');
  throw new UserError(`PNG parameters: expected png among the files' formats, found only ${found}: add png`);
}

function checkQuality({ quality }: ExportRequest, showings: readonly Showing[]): void {
  if (quality === undefined || showings.some(({ look }) => look.format !== 'png')) return;
  throw new UserError(
    "quality: expected webp, avif or jpeg among the files' formats, found only png, which keeps every pixel: name a format, or leave the quality out",
  );
}

function checkCount(what: string, showings: readonly Showing[], most: number): void {
  if (showings.length <= most) return;
  throw new UserError(
    `expected at most ${most} ${what}, found ${showings.length}: export fewer images, sizes or formats at once`,
  );
}
