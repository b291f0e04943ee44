"""From a scene to its true picture, at any width and height."""

import numpy as np
from PIL import Image, ImageColor

from training.icons import picture
from training.scenes import BACKGROUNDS, Scene


def background(name: str, width: int, height: int) -> np.ndarray:
    """Paint a background, uint8 [height, width, 3]: a vertical blend of its two colours."""
    top, bottom = (np.array(ImageColor.getrgb(c), dtype=np.float32) for c in BACKGROUNDS[name])
    t = ((np.arange(height, dtype=np.float32) + 0.5) / height)[:, None]
    column = np.round(top * (1 - t) + bottom * t).astype(np.uint8)
    return np.broadcast_to(column[:, None], (height, width, 3)).copy()


def compose(scene: Scene, width: int, height: int) -> np.ndarray:
    """Paint a scene, uint8 [height, width, 3]; sizes and places follow the shorter side."""
    canvas = Image.fromarray(background(scene.background, width, height)).convert("RGBa")
    unit = min(width, height)
    atlas_size = 256 if unit <= 320 else 1024
    for placed in scene.objects:
        side = round(placed.size * unit)
        # Hamming has no negative lobes: a flat shape keeps flat edges, without ringing.
        icon = picture(placed.style, placed.name, atlas_size).resize((side, side), Image.Resampling.HAMMING)
        left = round(width / 2 + placed.x * unit - side / 2)
        top = round(height / 2 + placed.y * unit - side / 2)
        _paste(canvas, icon, left, top)
    return np.asarray(canvas.convert("RGB"))


def _paste(canvas: Image.Image, icon: Image.Image, left: int, top: int) -> None:
    """Lay a premultiplied picture over the canvas; what lies outside is cut off."""
    box = (max(left, 0), max(top, 0), min(left + icon.width, canvas.width), min(top + icon.height, canvas.height))
    below = np.asarray(canvas.crop(box), dtype=np.float32)
    above = np.asarray(icon.crop((box[0] - left, box[1] - top, box[2] - left, box[3] - top)), dtype=np.float32)
    mixed = above + below * (1 - above[..., 3:] / 255)
    canvas.paste(Image.fromarray(np.clip(np.round(mixed), 0, 255).astype(np.uint8), "RGBa"), box[:2])
