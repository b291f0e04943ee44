"""One image from a checkpoint in diffusers.

`models/python.sh benchmarks/peer/diffusers_render.py <checkpoint> --size 512`

The peer of real-render.ts. Like the pipeline, it holds all networks in memory at once. Prints nothing.
"""

import argparse
import os
from pathlib import Path

# Set before torch loads OpenMP: waiting threads sleep, which is fair to a peer on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import diffusers
import torch
from diffusers import PixArtSigmaPipeline

PROMPT = "a red apple and a blue umbrella on a yellow background"


def main() -> None:
    parser = argparse.ArgumentParser(prog="diffusers_render.py", description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="bfloat16")
    options = parser.parse_args()
    diffusers.utils.logging.disable_progress_bar()
    dtype = getattr(torch, options.dtype)
    pipeline = PixArtSigmaPipeline.from_pretrained(options.checkpoint, torch_dtype=dtype)
    pipeline.set_progress_bar_config(disable=True)
    pipeline(
        PROMPT,
        height=options.size,
        width=options.size,
        num_inference_steps=options.steps,
        generator=torch.Generator().manual_seed(1),
        use_resolution_binning=False,
    )


if __name__ == "__main__":
    main()
