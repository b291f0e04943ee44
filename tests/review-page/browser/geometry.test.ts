import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cellPlace, gridLayout, PADDING, visibleCells } from '../../../review-page/browser/grid-layout.ts';
import { fitView, kept, zoomAt } from '../../../review-page/browser/view.ts';

const width = fc.integer({ min: 200, max: 5_000 });
const cells = fc.integer({ min: 0, max: 100_000 });
const extent = fc.record({ width: fc.integer({ min: 16, max: 8_000 }), height: fc.integer({ min: 16, max: 8_000 }) });
const point = fc.record({ x: fc.integer({ min: -500, max: 500 }), y: fc.integer({ min: -500, max: 500 }) });

describe('the grid', () => {
  test('fits every cell into its width and height', () => {
    fc.assert(
      fc.property(width, cells, (width, cells) => {
        const layout = gridLayout(width, cells);
        if (cells === 0) return;
        const last = cellPlace(layout, cells - 1);
        const right = cellPlace(layout, layout.columns - 1);
        expect(right.left + layout.side).toBeLessThanOrEqual(width - PADDING);
        expect(last.top + layout.side).toBeLessThan(layout.height);
      }),
    );
  });

  test('creates the cells in view, and few others', () => {
    fc.assert(
      fc.property(width, cells, fc.double({ min: 0, max: 1, noNaN: true }), (width, cells, part) => {
        const layout = gridLayout(width, cells);
        const top = part * Math.max(0, layout.height - 900);
        const { from, to } = visibleCells(layout, cells, top, 900);
        for (let cell = 0; cell < cells; cell += Math.max(1, Math.floor(layout.columns / 2))) {
          const place = cellPlace(layout, cell);
          const isInView = place.top + layout.rowHeight > top && place.top < top + 900;
          if (isInView) expect(cell >= from && cell < to).toBe(true);
          if (place.top > top + 2_000 + 4 * layout.rowHeight) break;
        }
        expect(to - from).toBeLessThanOrEqual(layout.columns * (Math.ceil(900 / layout.rowHeight) + 6));
      }),
    );
  });
});

describe('an image in its window', () => {
  const full = { scale: 1, x: 0, y: 0 };

  test('initially fits as a whole', () => {
    fc.assert(
      fc.property(extent, extent, fc.constantFrom(1, 2), (image, window, density) => {
        const { scale, x, y } = fitView(image, window, density);
        expect(image.width * scale).toBeLessThanOrEqual(window.width + 1e-6);
        expect(image.height * scale).toBeLessThanOrEqual(window.height + 1e-6);
        expect([x, y]).toEqual([0, 0]);
      }),
    );
  });

  test('zooms around the pointer', () => {
    fc.assert(
      fc.property(point, point, fc.double({ min: 0.2, max: 5, noNaN: true }), (at, middle, factor) => {
        const before = { ...full, ...middle };
        const after = zoomAt(before, factor, at, [0.1, 8]);
        expect((at.x - after.x) / after.scale).toBeCloseTo((at.x - before.x) / before.scale, 6);
        expect((at.y - after.y) / after.scale).toBeCloseTo((at.y - before.y) / before.scale, 6);
      }),
    );
  });

  test('cannot be panned out of it', () => {
    fc.assert(
      fc.property(extent, extent, point, fc.double({ min: 0.05, max: 8, noNaN: true }), (image, window, at, scale) => {
        const { x } = kept({ scale, x: at.x * 50, y: at.y * 50 }, image, window);
        const [left, right] = [x - (image.width * scale) / 2, x + (image.width * scale) / 2];
        if (image.width * scale <= window.width) expect(x).toBeCloseTo(0);
        else {
          expect(left).toBeLessThanOrEqual(-window.width / 2 + 1e-6);
          expect(right).toBeGreaterThanOrEqual(window.width / 2 - 1e-6);
        }
      }),
    );
  });
});
