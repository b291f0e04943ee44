import sharp from 'sharp';
import { digestOf } from '../domain/digest.ts';
import { extension, standardQuality } from '../domain/image-format.ts';
import { contentType, encodeAs, toPlainXmp } from '../images/index.ts';
import project from '../package.json' with { type: 'json' };
import { atlasJson } from './atlas.ts';
import type { Look } from './look.ts';
import { readCopy } from './picture-source.ts';
import { drawSheet, packed, type Sheet, type SheetLimits, type Waiting, waiting } from './sheet.ts';
import { type Exporting, fromOf, type NamedShowing } from './showing.ts';
import { spriteOf } from './sprite.ts';
import { inOrder, type MadeFile, type Unmade, unlessUnmade, type Work } from './work.ts';

/** A requested sheet, which may become several: `name`, or `name-0`, `name-1` … */
type SheetOf = { name: string; density: number; limits: SheetLimits };

const XMP = toPlainXmp(`${project.name} ${project.version}`);

/** The work of making the sheets of one density, each with an atlas. @param showings one or more */
export function sheetWork({ store }: Exporting, of: SheetOf, showings: readonly NamedShowing[]): Work {
  const sprites = showings.map((showing) => ({ name: showing.name, from: fromOf(showing, false, null) }));
  const from = digestOf({ sprites, ...of });
  const look = showings[0]!.look;
  return {
    names: [imageName(of.name, look), atlasName(of.name)],
    from,
    recorded: (record) => [...record].filter(([, exported]) => exported.from === from).map(([name]) => name),
    dropsCredentials: showings.some(({ row }) => row.signed_crc32c !== null),
    pictures: showings.length,
    async make(onPicture) {
      const [found, unmade, unclear]: [Waiting[], Unmade[], string[]] = [[], [], []];
      const sprite = async ({ name, row, look }: NamedShowing) => {
        const done = await unlessUnmade(row.id, async () => {
          const shown = await spriteOf(await readCopy(store, row), look);
          return { id: row.id, isUnclear: shown.isUnclear, waiting: await waiting(name, shown) };
        });
        onPicture();
        return done;
      };
      for await (const done of inOrder(showings, sprite)) {
        if ('unmade' in done) {
          unmade.push(done.unmade);
          continue;
        }
        found.push(done.made.waiting);
        if (done.made.isUnclear) unclear.push(done.made.id);
      }
      return { files: await sheetFiles(packed(found, of.limits), of, look), unmade, unclear };
    },
  };
}

const atlasName = (sheet: string): string => `${sheet}.json`;

const imageName = (sheet: string, { format }: Look): string => `${sheet}.${extension(format)}`;

async function sheetFiles(sheets: readonly Sheet[], { name, density }: SheetOf, look: Look): Promise<MadeFile[]> {
  const names = sheets.length === 1 ? [name] : sheets.map((_, number) => `${name}-${number}`);
  const files: MadeFile[] = [];
  for (const [number, sheet] of sheets.entries()) {
    const own = names[number]!;
    const image = imageName(own, look);
    files.push({ name: image, data: await encodedSheet(sheet, look), contentType: contentType(look.format) });
    const others = names.filter((other) => other !== own).map(atlasName);
    const atlas = atlasJson(sheet, { image, density, others });
    files.push({ name: atlasName(own), data: atlas, contentType: 'application/json' });
  }
  return files;
}

async function encodedSheet(sheet: Sheet, { format, quality }: Look): Promise<Uint8Array> {
  const raw = { width: sheet.width, height: sheet.height, channels: 4 as const };
  return encodeAs(sharp(await drawSheet(sheet), { raw }), format, quality ?? standardQuality(format), XMP);
}
