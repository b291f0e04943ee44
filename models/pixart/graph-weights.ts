import { WireError, WireReader } from './wire-reader.ts';

/** A weight of a graph, as its file says it. */
export type Weight = {
  shape: number[];
  /** TensorProto.DataType of onnx.proto. */
  type: number;
  /** It is in a file beside the graph's own. */
  isExternal: boolean;
};

/** Fields of onnx.proto, ONNX 1.19. */
const MODEL = { graph: 7 };
const GRAPH = { initializer: 5 };
const TENSOR = { dims: 1, type: 2, externalData: 13 };

/** More sides than any weight has. */
const MOST_SIDES = 16;

/**
 * Shapes and types of all weights of a graph's outermost level; their bytes are passed over unread.
 *
 * @throws WireError where the file is no ONNX graph
 */
export function graphWeights(file: string): Weight[] {
  const reader = new WireReader(file);
  const weights: Weight[] = [];
  try {
    for (const model of reader.fields(reader.size)) {
      if (model.number !== MODEL.graph) continue;
      for (const graph of reader.fields(model.end)) {
        if (graph.number === GRAPH.initializer) weights.push(readWeight(reader, graph.end));
      }
    }
  } finally {
    reader.close();
  }
  return weights;
}

function readWeight(reader: WireReader, end: number): Weight {
  const weight: Weight = { shape: [], type: 0, isExternal: false };
  for (const field of reader.allFields(end)) {
    if (field.number === TENSOR.dims) {
      weight.shape.push(...('end' in field ? reader.numbers(field.end, MOST_SIDES) : [field.value]));
      if (weight.shape.length > MOST_SIDES) throw new WireError(`a weight has more than ${MOST_SIDES} sides`);
    }
    if (field.number === TENSOR.type && 'value' in field) weight.type = field.value;
    if (field.number === TENSOR.externalData) weight.isExternal = true;
  }
  return weight;
}

/** Bits of an element on disk, by TensorProto.DataType. */
const BITS = new Map([
  [1, 32],
  [2, 8],
  [3, 8],
  [4, 16],
  [5, 16],
  [6, 32],
  [7, 64],
  [9, 8],
  [10, 16],
  [11, 64],
  [12, 32],
  [13, 64],
  [16, 16],
  [17, 8],
  [18, 8],
  [19, 8],
  [20, 8],
  [21, 4],
  [22, 4],
]);

const HALVES = [10, 16];

export const elementsOf = ({ shape }: Weight): number => shape.reduce((product, side) => product * side, 1);

export const bytesOnDisk = (weight: Weight): number => (elementsOf(weight) * (BITS.get(weight.type) ?? 32)) / 8;

/** Stored as float16 or bfloat16, with a Cast to float32 behind it. */
export const isHalf = ({ type }: Weight): boolean => HALVES.includes(type);
