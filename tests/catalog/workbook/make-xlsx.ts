import { crc32, deflateRawSync } from 'node:zlib';
import { lettersOf } from '../../../catalog/workbook/places.ts';

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const RELATED = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006/relationships';

/** The XML of a workbook's parts, by name. */
export type Parts = Record<string, string>;

/** A workbook of one sheet with these rows of XML, and optionally other parts. */
export const partsOf = (rows: string, others: Parts = {}): Parts => ({
  '[Content_Types].xml': '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>',
  '_rels/.rels': relations([['rId1', `${RELATED}/officeDocument`, 'xl/workbook.xml']]),
  'xl/workbook.xml': `<workbook xmlns="${MAIN}" xmlns:r="${RELATED}"><sheets><sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>`,
  'xl/_rels/workbook.xml.rels': relations([
    ['rId1', `${RELATED}/worksheet`, '/xl/worksheets/sheet1.xml'],
    ['rId2', `${RELATED}/styles`, 'styles.xml'],
    ['rId3', `${RELATED}/sharedStrings`, 'sharedStrings.xml'],
  ]),
  'xl/worksheets/sheet1.xml': `<worksheet xmlns="${MAIN}"><sheetData>${rows}</sheetData></worksheet>`,
  ...others,
});

export const stylesOf = (formats: readonly string[]): string =>
  `<styleSheet xmlns="${MAIN}"><numFmts>${formats.map((code, at) => `<numFmt numFmtId="${164 + at}" formatCode="${escaped(code)}"/>`).join('')}</numFmts>` +
  `<cellXfs>${formats.map((_, at) => `<xf numFmtId="${164 + at}"/>`).join('')}</cellXfs></styleSheet>`;

const relations = (all: [id: string, type: string, target: string][]): string =>
  `<Relationships xmlns="${PACKAGE}">${all.map(([id, type, target]) => `<Relationship Id="${id}" Type="${type}" Target="${target}"/>`).join('')}</Relationships>`;

export const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;').replaceAll('\r', '&#13;');

/** Rows of texts as a program may write them, without cells for empty texts. */
export const rowsOf = (rows: readonly (readonly string[])[]): string =>
  rows
    .map(
      (cells, at) =>
        `<row r="${at + 1}">${cells.map((text, position) => textCell(text, at + 1, position)).join('')}</row>`,
    )
    .join('');

const textCell = (text: string, line: number, position: number): string =>
  text === ''
    ? ''
    : `<c r="${lettersOf(position)}${line}" t="inlineStr"><is><t xml:space="preserve">${escaped(text)}</t></is></c>`;

/** Packs parts into a zip archive. */
export function zipped(parts: Parts): Buffer {
  const entries = Object.entries(parts).map(([name, text]) => entryOf(Buffer.from(name), Buffer.from(text)));
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { header, body } of entries) {
    directory.push(Buffer.concat([header.central, offsetOf(offset), header.name]));
    offset += header.local.length + header.name.length + body.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(entries.length, 8);
  end.writeUInt16LE(entries.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...entries.flatMap(({ header, body }) => [header.local, header.name, body]), central, end]);
}

function offsetOf(offset: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(offset, 0);
  return bytes;
}

function entryOf(name: Buffer, bytes: Buffer) {
  const body = deflateRawSync(bytes);
  const shared = Buffer.alloc(26);
  shared.writeUInt16LE(20, 0);
  shared.writeUInt16LE(0x0800, 2);
  shared.writeUInt16LE(8, 4);
  shared.writeUInt32LE(crc32(bytes), 10);
  shared.writeUInt32LE(body.length, 14);
  shared.writeUInt32LE(bytes.length, 18);
  shared.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from('PK\u0003\u0004'), shared]);
  // Version made by, then as above, no comment, first disk, no attributes; the offset follows.
  const central = Buffer.concat([Buffer.from('PK\u0001\u0002'), Buffer.from([20, 0]), shared, Buffer.alloc(10)]);
  return { header: { local, central, name }, body };
}
