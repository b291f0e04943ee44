/** The layout of a grid's cells in a window of a given width. */
export type GridLayout = { columns: number; side: number; rowHeight: number; height: number };

export const GAP = 14;
export const PADDING = 20;
/** Below a cell's picture: id and two lines of its prompt. */
const CAPTION = 66;

/** @param width of the window in CSS pixels */
export function gridLayout(width: number, cells: number): GridLayout {
  const smallest = width < 560 ? 132 : 184;
  const inner = Math.max(smallest, width - 2 * PADDING);
  const columns = Math.max(1, Math.floor((inner + GAP) / (smallest + GAP)));
  const side = Math.floor((inner + GAP) / columns) - GAP;
  const rowHeight = side + CAPTION + GAP;
  return { columns, side, rowHeight, height: 2 * PADDING - GAP + Math.ceil(cells / columns) * rowHeight };
}

/** The range of cells in view, and two rows before and after; `to` is exclusive. */
export function visibleCells(
  { columns, rowHeight }: GridLayout,
  cells: number,
  top: number,
  height: number,
): { from: number; to: number } {
  const first = Math.floor((top - PADDING) / rowHeight) - 2;
  const last = Math.ceil((top + height - PADDING) / rowHeight) + 2;
  return { from: Math.min(cells, Math.max(0, first * columns)), to: Math.min(cells, Math.max(0, last * columns)) };
}

export const cellPlace = ({ columns, side, rowHeight }: GridLayout, cell: number): { left: number; top: number } => ({
  left: PADDING + (cell % columns) * (side + GAP),
  top: PADDING + Math.floor(cell / columns) * rowHeight,
});
