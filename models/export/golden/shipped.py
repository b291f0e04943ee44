"""What diffusers draws from the shipped model's weights: `models/python.sh -m export.golden.shipped tests/golden`.

Run it again whenever `models/training/checkpoint` and the bundle exported from it change.
"""

import argparse
import json
import sys
from pathlib import Path

from PIL import Image

from ..quiet import quiet_libraries
from .trace import Case, trace

CHECKPOINT = Path(__file__).parents[2] / "training" / "checkpoint"
MAX_TOKENS = 120
CASE = Case("shipped", "pixart-icons", "a glossy fox on a red background", 256, 256, seed=7, steps=4)


def main(arguments: list[str]) -> None:
    """Writes `shipped/case.json` and `shipped/image.png` into the target."""
    parser = argparse.ArgumentParser(prog="python -m export.golden.shipped", description=__doc__)
    parser.add_argument("target", type=Path, help="folder that receives shipped/")
    folder = parser.parse_args(arguments).target / "shipped"
    quiet_libraries()
    image = trace(CHECKPOINT, CASE, MAX_TOKENS).tensors["image"]
    folder.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(folder / "image.png", optimize=True)
    request = {
        "prompt": CASE.prompt,
        "negativePrompt": CASE.negative_prompt,
        "size": "256",
        "width": CASE.width,
        "height": CASE.height,
        "seed": CASE.seed,
        "steps": CASE.steps,
        "guidance": CASE.guidance,
    }
    (folder / "case.json").write_text(json.dumps(request, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
