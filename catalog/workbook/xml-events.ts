import { StringDecoder } from 'node:string_decoder';
import { SaxesParser } from 'saxes';
import { NotAWorkbook } from './archive.ts';

/** Callbacks for XML events; names come without their namespace prefix, which programs choose freely. */
type XmlHandler = {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  text?(text: string): void;
  close?(name: string): void;
};

const withoutPrefix = (name: string): string => name.slice(name.indexOf(':') + 1);

/**
 * Parses XML piece by piece, so that a large part need not be kept in memory. Yields after the events of each piece.
 *
 * @throws NotAWorkbook for invalid XML
 */
export async function* xmlEvents(
  part: string,
  pieces: AsyncIterable<Buffer>,
  handler: XmlHandler,
): AsyncGenerator<void> {
  const parser = new SaxesParser({ fileName: part, position: false, xmlns: false });
  const decoder = new StringDecoder('utf8');
  let failure: Error | null = null;
  parser.on('error', (error) => {
    failure ??= error;
  });
  parser.on('opentag', ({ name, attributes }) => handler.open?.(withoutPrefix(name), attributes));
  parser.on('text', (text) => handler.text?.(text));
  parser.on('cdata', (text) => handler.text?.(text));
  parser.on('closetag', ({ name }) => handler.close?.(withoutPrefix(name)));
  const check = (): void => {
    if (failure !== null) throw new NotAWorkbook(`XML in ${part}`, (failure as Error).message);
  };
  for await (const piece of pieces) {
    parser.write(decoder.write(piece));
    check();
    yield;
  }
  parser.write(decoder.end()).close();
  check();
  yield;
}

/** Parses a small part as a whole. @throws like xmlEvents */
export async function readXml(part: string, pieces: AsyncIterable<Buffer>, handler: XmlHandler): Promise<void> {
  for await (const _ of xmlEvents(part, pieces, handler));
}
