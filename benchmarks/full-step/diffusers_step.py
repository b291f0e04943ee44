"""One step in diffusers: `models/python.sh benchmarks/full-step/diffusers_step.py <folder> --size 512 --threads 1`.

The folder is prepare.py's. Prints a line of JSON; with --keep, the prediction goes to `<folder>/<size>/prediction.bin`,
which step.ts compares its own with.
"""

import argparse
import os
from pathlib import Path

# Before torch loads OpenMP: threads that wait sleep, the fair peer where cores are shared.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import diffusers
import numpy as np
import torch
from calls import read_inputs, report
from diffusers import PixArtTransformer2DModel


def main() -> None:
    parser = argparse.ArgumentParser(prog="diffusers_step.py", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--compile", action="store_true", help="by torch.compile")
    parser.add_argument("--dtype", choices=("float32", "bfloat16"), default="float32")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    dtype = getattr(torch, options.dtype)
    model = PixArtTransformer2DModel.from_pretrained(options.folder / "transformer", torch_dtype=dtype).eval()
    run = torch.compile(model) if options.compile else model
    inputs = {name: torch.from_numpy(array) for name, array in read_inputs(options.folder, options.size).items()}

    @torch.no_grad()
    def call() -> np.ndarray:
        predicted = run(
            inputs["latents"].to(dtype),
            encoder_hidden_states=inputs["text_states"].to(dtype),
            encoder_attention_mask=inputs["caption_mask"],
            timestep=inputs["timestep"],
            added_cond_kwargs={"resolution": None, "aspect_ratio": None},
        )
        return predicted.sample[:, :4].float().numpy()

    how = "torch.compile" if options.compile else "eager"
    version = f"diffusers {diffusers.__version__}, torch {torch.__version__}"
    what = f"diffusers {how} {options.dtype}"
    prediction = report(what, version, options, call)
    if options.keep:
        prediction.astype("<f4").tofile(options.folder / str(options.size) / "prediction.bin")


if __name__ == "__main__":
    main()
