import { Tensor } from './onnxruntime.ts';
import { type PositionScale, positionEmbedding, positionTables } from './position-embedding.ts';
import type { Positions } from './step-inputs.ts';

/** Tokens of an image along its sides. */
export type Grid = { rows: number; columns: number };

/** Makes the inputs with the positions of tokens at a given width. */
export type PositionInputs = (grid: Grid, width: number, scale: PositionScale) => Positions;

/** For graphs that take one embedding for each token. */
export const embeddedPositions: PositionInputs = ({ rows, columns }, width, scale) => ({
  position_embedding: new Tensor('float32', positionEmbedding(rows, columns, width, scale), [1, rows * columns, width]),
});

/** For graphs made for CUDA: 1 MB at 1024 px in place of 19, which goes to the card at each step. */
export const tabledPositions: PositionInputs = ({ rows, columns }, width, scale) => {
  const tables = positionTables(rows, columns, width, scale);
  return {
    row_positions: new Tensor('float32', tables.rows, [1, rows, 1, width]),
    column_positions: new Tensor('float32', tables.columns, [1, 1, columns, width]),
  };
};
