import { type Archive, NotAWorkbook } from './archive.ts';
import { builtInFormat, unescaped } from './cell-text.ts';
import { readXml } from './xml-events.ts';

/** A sheet of a workbook, in the order of its tabs. */
type Sheet = { name: string; isHidden: boolean; part: string };

/** What is needed to read a workbook's cells. */
export type Workbook = {
  sheets: Sheet[];
  /** Texts that cells refer to by number. */
  texts: string[];
  /** Number and date patterns that cells refer to by number. */
  formats: string[];
  /** Days count from 1904, as on old Macs. */
  is1904: boolean;
  /** The file asks to be recalculated when opened, so formulas may never have been calculated. */
  isUncalculated: boolean;
};

/**
 * Reads everything in a workbook except the cells.
 *
 * @throws NotAWorkbook for an archive of something else
 */
export async function readWorkbook(archive: Archive): Promise<Workbook> {
  const root = await relations(archive, '', '_rels/.rels');
  const part = root.find(({ type }) => type === 'officeDocument')?.target;
  if (part === undefined || !archive.has(part)) {
    throw new NotAWorkbook(
      'a workbook (.xlsx)',
      'another archive, such as an .ods or .docx; save it as .xlsx or "CSV UTF-8"',
    );
  }
  const folder = part.slice(0, part.lastIndexOf('/') + 1);
  const related = await relations(archive, folder, `${folder}_rels/${part.slice(folder.length)}.rels`);
  const partOf = (type: string): string | undefined => related.find((relation) => relation.type === type)?.target;
  const worksheets = new Map(related.filter(({ type }) => type === 'worksheet').map(({ id, target }) => [id, target]));
  const found = { sheets: [] as Sheet[], is1904: false, isUncalculated: false };
  await readXml(part, archive.stream(part), {
    open(name, attributes) {
      if (name === 'workbookPr') found.is1904 = isTrue(attributes.date1904);
      if (name === 'calcPr') found.isUncalculated = isTrue(attributes.fullCalcOnLoad);
      const target = name === 'sheet' ? worksheets.get(relationOf(attributes)) : undefined;
      if (target === undefined) return;
      const isHidden = attributes.state !== undefined && attributes.state !== 'visible';
      found.sheets.push({ name: attributes.name ?? '', isHidden, part: target });
    },
  });
  return {
    ...found,
    texts: await readTexts(archive, partOf('sharedStrings')),
    formats: await readFormats(archive, partOf('styles')),
  };
}

const isTrue = (text: string | undefined): boolean => text === '1' || text === 'true';

/** `r:id`, whatever the prefix. */
const relationOf = (attributes: Readonly<Record<string, string>>): string =>
  Object.entries(attributes).find(([name]) => name.endsWith(':id'))?.[1] ?? '';

type Relation = { id: string; type: string; target: string };

/** Types are URLs from two standards, which share the last word. */
async function relations(archive: Archive, folder: string, part: string): Promise<Relation[]> {
  const found: Relation[] = [];
  if (!archive.has(part)) return found;
  await readXml(part, archive.stream(part), {
    open(name, { Id = '', Type = '', Target = '', TargetMode }) {
      if (name !== 'Relationship' || TargetMode === 'External') return;
      found.push({ id: Id, type: Type.slice(Type.lastIndexOf('/') + 1), target: targetOf(Target, folder) });
    },
  });
  return found;
}

const LONGEST_SHOWN = 100;

/** Resolves a reference relative to a folder of parts. */
function targetOf(reference: string, folder: string): string {
  try {
    return decodeURI(new URL(reference, `zip:///${folder}`).pathname.slice(1));
  } catch {
    throw new NotAWorkbook(
      'targets of relationships that name parts of the workbook',
      JSON.stringify(reference.slice(0, LONGEST_SHOWN)),
    );
  }
}

/** A text may consist of runs in different fonts; phonetic guides (rPh) are not part of it. */
async function readTexts(archive: Archive, part: string | undefined): Promise<string[]> {
  const texts: string[] = [];
  if (part === undefined || !archive.has(part)) return texts;
  let text = '';
  let isText = false;
  let isAloud = false;
  await readXml(part, archive.stream(part), {
    open(name) {
      if (name === 'si') text = '';
      if (name === 'rPh') isAloud = true;
      isText = name === 't' && !isAloud;
    },
    text(piece) {
      if (isText) text += piece;
    },
    close(name) {
      isText = false;
      if (name === 'rPh') isAloud = false;
      if (name === 'si') texts.push(unescaped(text));
    },
  });
  return texts;
}

/** The pattern of each cell format. */
async function readFormats(archive: Archive, part: string | undefined): Promise<string[]> {
  const formats: string[] = [];
  if (part === undefined || !archive.has(part)) return formats;
  const own = new Map<number, string>();
  let isCells = false;
  await readXml(part, archive.stream(part), {
    open(name, { numFmtId, formatCode }) {
      const id = Number(numFmtId ?? 0);
      if (name === 'numFmt') own.set(id, formatCode ?? 'General');
      if (name === 'cellXfs') isCells = true;
      if (name === 'xf' && isCells) formats.push(own.get(id) ?? builtInFormat(id));
    },
    close(name) {
      if (name === 'cellXfs') isCells = false;
    },
  });
  return formats;
}
