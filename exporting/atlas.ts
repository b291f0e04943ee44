import project from '../package.json' with { type: 'json' };
import type { Placed, Sheet } from './sheet.ts';

/** What an atlas contains besides its sprites. */
type AtlasOf = {
  /** The sheet's file, beside the atlas. */
  image: string;
  density: number;
  /** The other atlases of the same pictures. */
  others: readonly string[];
};

/**
 * The atlas of a sheet in TexturePacker's JSON (hash) format: sprites by name, each with its place on the sheet and its
 * place in the untrimmed picture.
 */
export function atlasJson({ width, height, placed }: Sheet, { image, density, others }: AtlasOf): Uint8Array {
  const frames = placed.map((sprite) => `${JSON.stringify(sprite.name)}: ${JSON.stringify(frameOf(sprite))}`);
  const meta = {
    app: `${project.name} ${project.version}`,
    version: '1.0',
    image,
    format: 'RGBA8888',
    size: { w: width, h: height },
    scale: String(density),
    ...(others.length > 0 && { related_multi_packs: others }),
  };
  return Buffer.from(`{"frames": {\n${frames.join(',\n')}\n},\n"meta": ${JSON.stringify(meta)}}\n`);
}

function frameOf({ x, y, width: w, height: h, source }: Placed) {
  return {
    frame: { x, y, w, h },
    rotated: false,
    trimmed: w !== source.width || h !== source.height,
    spriteSourceSize: { x: source.left, y: source.top, w, h },
    sourceSize: { w: source.width, h: source.height },
  };
}
