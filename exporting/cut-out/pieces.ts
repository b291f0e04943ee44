import { eachBeside } from './beside.ts';

/** Pixels connected by their sides. */
type Piece = {
  pixels: Int32Array;
  /** How far from the picture's edge its innermost pixel is; 0 is the edge itself. */
  depth: number;
  touchesEdge: boolean;
};

/** The connected pieces of a picture's pixels of one kind, in the order of their first pixels. */
export function* pieces(isOfKind: (at: number) => boolean, width: number, height: number): Generator<Piece> {
  const seen = new Uint8Array(width * height);
  // Each pixel is in one piece at most, so one array holds all pieces, one after the other.
  const found = new Int32Array(width * height);
  let end = 0;
  for (let start = 0; start < seen.length; start++) {
    if (seen[start] === 1 || !isOfKind(start)) continue;
    const first = end;
    const take = (at: number): void => {
      if (seen[at] === 1 || !isOfKind(at)) return;
      seen[at] = 1;
      found[end++] = at;
    };
    take(start);
    let [depth, touchesEdge] = [0, false];
    for (let next = first; next < end; next++) {
      const at = found[next]!;
      const [column, row] = [at % width, Math.floor(at / width)];
      const toEdge = Math.min(column, row, width - 1 - column, height - 1 - row);
      depth = Math.max(depth, toEdge);
      touchesEdge ||= toEdge === 0;
      eachBeside(at, width, height, take);
    }
    yield { pixels: found.subarray(first, end), depth, touchesEdge };
  }
}
