import { WireError, WireReader } from './wire-reader.ts';

/** Location of a tensor that is not in the graph's own file. */
export type ExternalData = {
  location: string;
  /** Bytes, as the file says them. */
  offset: string | undefined;
  length: string | undefined;
};

type Message = keyof typeof MESSAGES;

/** The messages of ONNX that can hold a tensor, and by which field each holds others: onnx.proto of ONNX 1.19. */
const MESSAGES = {
  model: { 7: 'graph', 20: 'training', 25: 'function' },
  graph: { 1: 'node', 5: 'tensor', 15: 'sparse' },
  node: { 5: 'attribute' },
  attribute: { 5: 'tensor', 6: 'graph', 10: 'tensor', 11: 'graph', 22: 'sparse', 23: 'sparse' },
  function: { 7: 'node', 11: 'attribute' },
  training: { 1: 'graph', 2: 'graph' },
  sparse: { 1: 'tensor', 2: 'tensor' },
  tensor: {},
} as const;

const TENSOR_EXTERNAL_DATA = 13;

const ENTRY = { key: 1, value: 2 };

/** As deep as protobuf itself reads. */
const DEEPEST = 100;

/**
 * All places outside an ONNX file that its tensors name: initializers, attributes, those of inner graphs, functions and training.
 * Weights inside the file are passed over unread.
 *
 * @throws WireError where the file is none
 */
export function externalData(file: string): ExternalData[] {
  const reader = new WireReader(file);
  const found: ExternalData[] = [];
  try {
    collect(reader, 'model', reader.size, found, 0);
  } finally {
    reader.close();
  }
  return found;
}

function collect(reader: WireReader, message: Message, end: number, found: ExternalData[], depth: number): void {
  if (depth > DEEPEST) throw new WireError(`it is more than ${DEEPEST} messages deep`);
  const inner: Record<number, Message> = MESSAGES[message];
  const entries: [string, string][] = [];
  for (const field of reader.fields(end)) {
    const child = inner[field.number];
    if (child !== undefined) collect(reader, child, field.end, found, depth + 1);
    if (message === 'tensor' && field.number === TENSOR_EXTERNAL_DATA) entries.push(readEntry(reader, field.end));
  }
  for (const [key, location] of entries) {
    if (key === 'location')
      found.push({ location, offset: lastOf(entries, 'offset'), length: lastOf(entries, 'length') });
  }
}

function readEntry(reader: WireReader, end: number): [key: string, value: string] {
  const entry: [string, string] = ['', ''];
  for (const field of reader.fields(end)) {
    if (field.number === ENTRY.key) entry[0] = reader.text(field.end);
    if (field.number === ENTRY.value) entry[1] = reader.text(field.end);
  }
  return entry;
}

const lastOf = (entries: [string, string][], name: string): string | undefined =>
  entries.findLast(([key]) => key === name)?.[1];
