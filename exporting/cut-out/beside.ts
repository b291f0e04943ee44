/** Visits the pixels that share a side with a pixel: four, or fewer at the picture's edge. */
export function eachBeside(at: number, width: number, height: number, visit: (beside: number) => void): void {
  const [column, row] = [at % width, Math.floor(at / width)];
  if (column > 0) visit(at - 1);
  if (column < width - 1) visit(at + 1);
  if (row > 0) visit(at - width);
  if (row < height - 1) visit(at + width);
}
