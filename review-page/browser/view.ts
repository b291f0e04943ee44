/** The scale of an image in a window, and the offset of its middle from the window's middle, in CSS pixels. */
export type View = { scale: number; x: number; y: number };

export type Extent = { width: number; height: number };

/** At 100 %, one pixel of the image is one device pixel, whatever the screen's density. */
export const fullScale = (density: number): number => 1 / density;

/** Limit of enlarging to fit: more would show no more detail. */
const MOST_ENLARGED = 2;

/** The whole image, as large as fits. */
export function fitView(image: Extent, window: Extent, density: number): View {
  const scale = Math.min(window.width / image.width, window.height / image.height, MOST_ENLARGED * fullScale(density));
  return { scale, x: 0, y: 0 };
}

/** Zooms around a point, given relative to the window's middle. */
export function zoomAt(view: View, factor: number, point: { x: number; y: number }, limits: [number, number]): View {
  const scale = Math.min(limits[1], Math.max(limits[0], view.scale * factor));
  const ratio = scale / view.scale;
  return { scale, x: point.x + (view.x - point.x) * ratio, y: point.y + (view.y - point.y) * ratio };
}

/** Keeps the image within the window: centred if it is smaller, without a gap if it is larger. */
export function kept(view: View, image: Extent, window: Extent): View {
  const within = (value: number, size: number, room: number): number => {
    const most = Math.max(0, (size * view.scale - room) / 2);
    return Math.min(most, Math.max(-most, value));
  };
  return {
    scale: view.scale,
    x: within(view.x, image.width, window.width),
    y: within(view.y, image.height, window.height),
  };
}
