import { createHash } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UserError } from '../../../domain/user-error.ts';
import { openBundle } from '../../../models/pixart/bundle.ts';
import { externalData } from '../../../models/pixart/external-data.ts';
import { InferenceSession } from '../../../models/pixart/onnxruntime.ts';
import { openGraph } from '../../../models/pixart/session.ts';
import { projectCaption } from '../../../models/pixart/text-encoder.ts';
import { verifyBundle } from '../../../models/pixart/verify-bundle.ts';
import { WireError } from '../../../models/pixart/wire-reader.ts';
import { GOLDEN } from './golden-case.ts';
import { elsewhere, field, message, number, split, varint } from './onnx-bytes.ts';

const GRAPH = 'caption_projection.onnx';

const DATA = 'weights.bin';

let folder: string;
let file: string;
let original: Buffer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'external-data-'));
  await cp(path.join(GOLDEN, 'bundles/tiny-epsilon'), folder, { recursive: true });
  file = path.join(folder, 'graph.onnx');
  original = await readFile(path.join(folder, GRAPH));
});

afterAll(() => rm(folder, { recursive: true }));

/** Writes the graph, and bundle.json as whoever does not know of data beside it would: with the graph's digest. */
async function writeGraph(graph: Buffer, alsoListed: string[] = []): Promise<void> {
  await writeFile(path.join(folder, GRAPH), graph);
  const described = path.join(GOLDEN, 'bundles/tiny-epsilon/bundle.json');
  const { files, ...description } = JSON.parse(await readFile(described, 'utf8'));
  for (const name of [GRAPH, ...alsoListed]) {
    const bytes = await readFile(path.join(folder, name));
    files[name] = { sha256: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length };
  }
  await writeFile(path.join(folder, 'bundle.json'), JSON.stringify({ ...description, files }));
}

/** The graph with its largest initializer elsewhere, and what that held. */
function withDataElsewhere(location: string, entries?: Record<string, string>): { graph: Buffer; data: Buffer } {
  const model = split(original);
  const graph = split(model.find((one) => one.number === 7)!.content);
  const tensors = graph.filter((one) => one.number === 5);
  const largest = tensors.reduce((a, b) => (b.content.length > a.content.length ? b : a));
  const tensor = split(largest.content);
  const kept = tensor.filter((one) => one.number === 1 || one.number === 8).map(({ whole }) => whole);
  const moved = field(5, message(...kept, elsewhere(location, entries)));
  const changed = message(...graph.map((one) => (one === largest ? moved : one.whole)));
  return {
    graph: message(...model.map((one) => (one.number === 7 ? field(7, changed) : one.whole))),
    data: tensor.find((one) => one.number === 9)!.content,
  };
}

/** Width of the tiny bundles' text states. */
const STATES = 32;

async function caption(): Promise<Float32Array> {
  const bundle = await openBundle(folder);
  const graph = await openGraph(bundle, GRAPH, { device: 'cpu', threads: 1 });
  const states = Float32Array.from({ length: 2 * STATES }, (_, i) => Math.sin(i));
  const result = await projectCaption(graph, states, 2);
  await graph.release();
  return result;
}

test('a file that only a graph names decides what is drawn, so the bundle is refused until bundle.json lists it', async () => {
  const { graph, data } = withDataElsewhere(DATA);
  await writeGraph(graph);
  await writeFile(path.join(folder, DATA), data);
  const { digest } = await openBundle(folder);
  const before = await caption();
  await writeFile(path.join(folder, DATA), Buffer.alloc(data.length));
  // ONNX Runtime 1.30 loads it, and neither a digest nor a size of the bundle knows.
  expect(await caption()).not.toEqual(before);
  expect((await openBundle(folder)).digest).toBe(digest);
  const verifying = verifyBundle(await openBundle(folder));
  await expect(verifying).rejects.toThrow(UserError);
  await expect(verifying).rejects.toThrow(
    /does not match its list of files:\n {2}caption_projection\.onnx: it loads "weights\.bin", which bundle\.json does not list\nExport the checkpoint again/,
  );
  await writeGraph(graph, [DATA]);
  await expect(verifyBundle(await openBundle(folder))).resolves.toBeUndefined();
});

test.each([
  ['../weights.bin'],
  ['./weights.bin'],
  ['data/weights.bin'],
  ['/weights.bin'],
  ['Weights.bin'],
  ['weights.bin\0'],
  ['weights.bin '],
  ['bundle.json'],
  ['*/_ORT_MEM_ADDR_/*'],
  ['constructor'],
  [''],
])('a graph that loads %j is refused though weights.bin is listed', async (location) => {
  await writeFile(path.join(folder, DATA), 'weights');
  await writeGraph(withDataElsewhere(location).graph, [DATA]);
  await expect(verifyBundle(await openBundle(folder))).rejects.toThrow(
    `it loads ${JSON.stringify(location)}, which bundle.json does not list`,
  );
});

test.each([
  [{ offset: '0', length: '8' }],
  [{ offset: '8', length: '0' }],
  [{ offset: '4', length: '4' }],
  [{ offset: '-1', length: '1' }],
  [{ offset: '0', length: '1e0' }],
])('a graph that loads %j of a listed file of 7 bytes is refused', async (entries) => {
  await writeFile(path.join(folder, DATA), '7 bytes');
  await writeGraph(withDataElsewhere(DATA, entries).graph, [DATA]);
  const range = `it loads "${DATA}", ${entries.length} bytes from ${entries.offset} on, but it has 7`;
  await expect(verifyBundle(await openBundle(folder))).rejects.toThrow(range);
});

test('a listed file that is no graph is refused, however right its digest', async () => {
  await writeGraph(original.subarray(0, -1));
  await expect(verifyBundle(await openBundle(folder))).rejects.toThrow(/expected an ONNX graph, but no field at byte/);
});

test('files that no graph loads are passed over, listed or not', async () => {
  await writeFile(path.join(folder, 'LICENSE'), 'yours');
  await writeFile(path.join(folder, 'notes.txt'), 'mine');
  await writeGraph(original, ['LICENSE']);
  await expect(verifyBundle(await openBundle(folder))).resolves.toBeUndefined();
});

describe('external data is found', () => {
  const tensor = elsewhere(DATA, { offset: '4', length: '16' });
  const sparse = (at: 1 | 2) => message(field(at, tensor), number(3, 2));
  const node = (attribute: Buffer) => message(field(4, 'Constant'), field(5, attribute));
  const graph = (...fields: Buffer[]) => field(7, message(...fields));
  const inConstant = node(message(field(1, 'value'), field(5, tensor)));
  const branch = message(field(1, inConstant));

  test.each<[string, Buffer]>([
    ['an initializer', graph(field(5, tensor))],
    ['the values of a sparse initializer', graph(field(15, sparse(1)))],
    ['the indices of a sparse initializer', graph(field(15, sparse(2)))],
    ['a constant', graph(field(1, inConstant))],
    ['a list of tensors', graph(field(1, node(message(field(10, tensor)))))],
    ['a sparse constant', graph(field(1, node(message(field(22, sparse(1))))))],
    ['a list of sparse tensors', graph(field(1, node(message(field(23, sparse(2))))))],
    ['a branch', graph(field(1, node(message(field(6, branch)))))],
    ['a list of graphs', graph(field(1, node(message(field(11, branch)))))],
    ['an initializer of a branch', graph(field(1, node(message(field(6, message(field(5, tensor)))))))],
    [
      'a branch of a branch',
      graph(field(1, node(message(field(6, message(field(1, node(message(field(6, branch)))))))))),
    ],
    ['a function', field(25, message(field(1, 'own'), field(7, inConstant)))],
    ['the default of an attribute of a function', field(25, message(field(11, message(field(5, tensor)))))],
    ['the beginning of a training', field(20, message(field(1, message(field(5, tensor)))))],
    ['the steps of a training', field(20, message(field(2, branch)))],
    ['the second of two graphs, which protobuf joins', message(graph(), graph(field(5, tensor)))],
  ])('in %s', async (_, model) => {
    await writeFile(file, message(number(1, 10), field(2, 'by hand'), model));
    expect(externalData(file)).toEqual([{ location: DATA, offset: '4', length: '16' }]);
  });

  test('behind weights that lie in the file itself, however long', async () => {
    const weights = field(5, message(field(9, Buffer.alloc(200_000, 0x6a))));
    await writeFile(file, graph(weights, field(5, tensor), weights));
    expect(externalData(file)).toHaveLength(1);
  });

  test('at every location that a tensor names', async () => {
    await writeFile(file, graph(field(5, message(elsewhere('a'), elsewhere('b')))));
    expect(externalData(file).map(({ location }) => location)).toEqual(['a', 'b']);
  });
});

describe('what is no ONNX file', () => {
  test('gives an error of its own and ends, whatever the bytes', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.tuple(fc.nat(original.length), fc.uint8Array({ maxLength: 4 })).map(([at, put]) => {
        const changed = Buffer.from(original);
        changed.set(put, Math.max(0, at - put.length));
        return changed.subarray(0, at);
      }),
    );
    await fc.assert(
      fc.asyncProperty(bytes, async (content) => {
        await writeFile(file, content);
        try {
          externalData(file);
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('may be nested as deep as it likes', async () => {
    let nested = field(6, '');
    for (let i = 0; i < 3000; i++) nested = field(i % 3 === 0 ? 6 : i % 3 === 1 ? 5 : 1, nested);
    await writeFile(file, field(7, nested));
    expect(() => externalData(file)).toThrow(/more than 100 messages deep/);
  });

  test.each([
    ['a field that is longer than its message', field(7, message(varint(5 * 8 + 2), varint(9)))],
    ['a length that no file has', message(varint(7 * 8 + 2), Buffer.alloc(9, 0xff), Buffer.from([1]))],
    ['a number without an end', Buffer.alloc(20, 0xff)],
    ['a group', varint(7 * 8 + 3)],
    ['field 0', field(0, 'x')],
  ])('is told: %s', async (_, bytes) => {
    await writeFile(file, bytes);
    expect(() => externalData(file)).toThrow(WireError);
  });
});

test('a context compiled for other hardware, which may lie in a file too, is not loaded on what renders here', async () => {
  const text = (name: string, value: string) => field(5, message(field(1, name), field(4, value), number(20, 3)));
  const context = message(
    field(2, 'y'),
    field(4, 'EPContext'),
    field(7, 'com.microsoft'),
    text('ep_cache_context', 'context.bin'),
    field(5, message(field(1, 'embed_mode'), number(3, 0), number(20, 2))),
  );
  const floats = (name: string) =>
    message(field(1, name), field(2, field(1, message(number(1, 1), field(2, field(1, number(1, 1)))))));
  const graph = message(field(1, context), field(2, 'g'), field(12, floats('y')));
  const imports = [field(8, number(2, 20)), field(8, message(field(1, 'com.microsoft'), number(2, 1)))];
  await writeFile(file, message(number(1, 10), field(7, graph), ...imports));
  await expect(InferenceSession.create(file)).rejects.toThrow(/EPContext/);
});
