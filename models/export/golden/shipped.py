"""The reference's images with the shipped models' weights: `models/python.sh -m export.golden.shipped tests/golden`.

Run it again whenever `models/training/checkpoint` and the bundles exported from it change.
"""

import argparse
import json
import shutil
import sys
from functools import partial
from pathlib import Path

import torch
from diffusers import PixArtSigmaPipeline
from PIL import Image

from training.restore import CHECKPOINT, transformer_weights
from training.schedule import scheduler
from training.stages import STAGES
from training.transformer import from_weights

from ..quiet import quiet_libraries
from .trace import Case, replace_prediction, trace

MAX_TOKENS = 120
STAGE_OF = {
    "pixart-icons": "2k-compressed",
    "pixart-icons-4-steps": "few-steps",
}
FOX, PAIR = "a glossy fox on a red background", "a flat cat left of a flat dog on a white background"
CASES = (
    ("256", Case("square", "pixart-icons", FOX, 256, 256, seed=7, steps=4)),
    ("512", Case("wide", "pixart-icons", PAIR, 384, 640, seed=8, steps=4)),
    ("512", Case("wide-4-steps", "pixart-icons-4-steps", PAIR, 384, 640, seed=8, steps=4, guidance=1.0)),
)


def load_pipeline(stage: str, size: str) -> PixArtSigmaPipeline:
    """diffusers' pipeline of a stage's weights, with our transformer, since its own has no KV compression."""
    order = STAGES[stage].sampling.order
    pipeline = PixArtSigmaPipeline.from_pretrained(CHECKPOINT, scheduler=scheduler(order), dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    model = from_weights(transformer_weights(stage)).eval()
    replace_prediction(pipeline, partial(model, base_side=int(size) // 8))
    return pipeline


def write_case(case: Case, size: str, folder: Path) -> None:
    """Writes case.json and image.png."""
    image = trace(load_pipeline(STAGE_OF[case.bundle], size), case, MAX_TOKENS).tensors["image"]
    folder.mkdir(parents=True)
    Image.fromarray(image).save(folder / "image.png", optimize=True)
    request = {
        "bundle": case.bundle,
        "prompt": case.prompt,
        "negativePrompt": case.negative_prompt,
        "size": size,
        "width": case.width,
        "height": case.height,
        "seed": case.seed,
        "steps": case.steps,
        "guidance": case.guidance,
    }
    (folder / "case.json").write_text(json.dumps(request, indent=2) + "\n", encoding="utf-8")


def main(arguments: list[str]) -> None:
    """Replaces the folder `shipped` of the target."""
    parser = argparse.ArgumentParser(prog="python -m export.golden.shipped", description=__doc__)
    parser.add_argument("target", type=Path, help="folder that receives shipped/")
    folder = parser.parse_args(arguments).target / "shipped"
    quiet_libraries()
    shutil.rmtree(folder, ignore_errors=True)
    for size, case in CASES:
        write_case(case, size, folder / case.name)


if __name__ == "__main__":
    main(sys.argv[1:])
