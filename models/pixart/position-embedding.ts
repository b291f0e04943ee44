const { fround } = Math;

/** How a size lays positions over its token grid. */
export type PositionScale = {
  /** Tokens a side over which positions run from 0: the size's `sampleSize` divided by the patch. */
  baseSize: number;
  interpolationScale: number;
};

/**
 * The 2D sine–cosine embedding of a token grid: for each token, row by row, sines then cosines of its column, then of its row.
 *
 * Positions are rounded to float32 where the reference rounds them; angles are exact.
 * Source: diffusers, models/embeddings.py (`get_2d_sincos_pos_embed`).
 *
 * @param width channels of the transformer, a multiple of 4.
 * @returns [rows · columns, width]
 */
export function positionEmbedding(rows: number, columns: number, width: number, scale: PositionScale): Float32Array {
  const half = width / 2;
  const byColumn = embedPositions(columns, half, scale);
  const byRow = embedPositions(rows, half, scale);
  const embedding = new Float32Array(rows * columns * width);
  let offset = 0;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      embedding.set(byColumn.subarray(column * half, (column + 1) * half), offset);
      embedding.set(byRow.subarray(row * half, (row + 1) * half), offset + half);
      offset += width;
    }
  }
  return embedding;
}

/**
 * The same embedding as two tables: a token's is its row's and its column's, added.
 *
 * @returns [rows, width] and [columns, width]
 */
export function positionTables(
  rows: number,
  columns: number,
  width: number,
  scale: PositionScale,
): { rows: Float32Array; columns: Float32Array } {
  const half = width / 2;
  return {
    rows: widened(embedPositions(rows, half, scale), half, half),
    columns: widened(embedPositions(columns, half, scale), half, 0),
  };
}

/** A table of twice the width, zero but where the other one is put. */
function widened(table: Float32Array, width: number, at: number): Float32Array {
  const wide = new Float32Array(table.length * 2);
  for (let i = 0; i < table.length; i += width) wide.set(table.subarray(i, i + width), i * 2 + at);
  return wide;
}

/** @returns [count, channels] */
function embedPositions(count: number, channels: number, scale: PositionScale): Float32Array {
  const frequencies = channels / 2;
  const embedding = new Float32Array(count * channels);
  const tokensPerPosition = fround(count / scale.baseSize);
  for (let i = 0; i < count; i++) {
    const position = fround(fround(i / tokensPerPosition) / fround(scale.interpolationScale));
    for (let k = 0; k < frequencies; k++) {
      const angle = position / 10_000 ** (k / frequencies);
      embedding[i * channels + k] = Math.sin(angle);
      embedding[i * channels + frequencies + k] = Math.cos(angle);
    }
  }
  return embedding;
}
