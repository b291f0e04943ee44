"""Paints the true pictures of scenes, at any width and height, many at a time."""

from functools import cache

import torch
import torch.nn.functional as F
from PIL import ImageColor

from training.device import DEVICE
from training.icons import OBJECT_NAMES, STYLES, atlas
from training.scenes import BACKGROUNDS, Placed, Scene

FINER = 2
"""Pictures are painted larger by this factor and then averaged, which smooths edges."""


def compose(scenes: list[Scene], width: int, height: int) -> torch.Tensor:
    """Paint scenes, uint8 [B, 3, height, width] on the training device; sizes and places follow the shorter side."""
    canvas = background([s.background for s in scenes], height * FINER).expand(-1, -1, -1, width * FINER).clone()
    for layer in range(max(len(s.objects) for s in scenes)):
        placed = {i: s.objects[layer] for i, s in enumerate(scenes) if layer < len(s.objects)}
        levels = {i: _level(o, width, height) for i, o in placed.items()}
        for level in set(levels.values()):
            chosen = [i for i, needed in levels.items() if needed == level]
            above = _place([placed[i] for i in chosen], level, width, height)
            canvas[chosen] = above[:, :3] + canvas[chosen] * (1 - above[:, 3:])
    return F.avg_pool2d(canvas, FINER).mul_(255).round_().to(torch.uint8)


def background(names: list[str], height: int) -> torch.Tensor:
    """Paint backgrounds, float [B, 3, height, 1] in 0 … 1: a vertical blend of two colours."""
    colours = [[ImageColor.getrgb(c) for c in BACKGROUNDS[name]] for name in names]
    top, bottom = (torch.tensor(colours, device=DEVICE) / 255)[:, :, :, None, None].unbind(1)
    t = ((torch.arange(height, device=DEVICE) + 0.5) / height)[None, None, :, None]
    return top * (1 - t) + bottom * t


def _level(placed: Placed, width: int, height: int) -> int:
    """Return the smallest stored raster that is neither enlarged nor skips pixels, if there is one."""
    side = placed.size * min(width, height) * FINER
    return next((level for level in (128, 256, 512, 1024) if level >= side), 2048)


@cache
def _rasters(level: int) -> torch.Tensor:
    """Return every object in every style, uint8 [styles, objects, level, level, 4]."""
    return torch.from_numpy(atlas(level)).to(DEVICE)


def _place(objects: list[Placed], level: int, width: int, height: int) -> torch.Tensor:
    """Paint one object on each of many empty canvases, float [B, 4, height, width] times FINER, in 0 … 1."""
    unit = min(width, height)
    styles = torch.tensor([STYLES.index(o.style) for o in objects], device=DEVICE)
    names = torch.tensor([OBJECT_NAMES.index(o.name) for o in objects], device=DEVICE)
    size, x, y = torch.tensor([(o.size, o.x, o.y) for o in objects], dtype=torch.float32, device=DEVICE).T
    zero = torch.zeros_like(x)
    # From the canvas's -1 … 1 to the object's.
    across = torch.stack([width / unit / size, zero, -2 * x / size], 1)
    down = torch.stack([zero, height / unit / size, -2 * y / size], 1)
    shape = (len(objects), 4, height * FINER, width * FINER)
    grid = F.affine_grid(torch.stack([across, down], 1), shape, align_corners=False)
    pictures = _rasters(level)[styles, names].permute(0, 3, 1, 2) / 255
    # With premultiplied alpha, scaling leaves no dark rim.
    pictures[:, :3] *= pictures[:, 3:]
    return F.grid_sample(pictures, grid, align_corners=False)
