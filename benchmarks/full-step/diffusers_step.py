"""One step in diffusers: `models/python.sh benchmarks/full-step/diffusers_step.py <folder> --size 512 --threads 1`.

The folder is prepare.py's. `compiled` is float32 with torch.compile, `int8` is torch's dynamic quantisation of linear
layers.
"""

import os
import warnings

# Set before torch loads OpenMP: waiting threads sleep, which is fair to a peer on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import diffusers
import numpy as np
import torch
from calls import parse_options, read_inputs, report
from diffusers import PixArtTransformer2DModel


def main() -> None:
    options = parse_options("diffusers_step.py", __doc__, "float32", "compiled", "bfloat16", "int8")
    # That quantisation is moving to another package.
    warnings.filterwarnings("ignore", message=".*deprecated.*")
    torch.set_num_threads(options.threads)
    dtype = torch.bfloat16 if options.kind == "bfloat16" else torch.float32
    model = PixArtTransformer2DModel.from_pretrained(
        options.folder / "transformer", torch_dtype=dtype, low_cpu_mem_usage=False
    ).eval()
    if options.kind == "int8":
        model = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    run = torch.compile(model) if options.kind == "compiled" else model

    @torch.no_grad()
    def call(size: int, timestep: float) -> np.ndarray:
        inputs = {name: torch.from_numpy(array) for name, array in read_inputs(options.folder, size).items()}
        predicted = run(
            inputs["latents"].to(dtype),
            encoder_hidden_states=inputs["text_states"].to(dtype),
            encoder_attention_mask=inputs["caption_mask"],
            timestep=torch.full_like(inputs["timestep"], timestep),
            added_cond_kwargs={"resolution": None, "aspect_ratio": None},
        )
        return predicted.sample[:, :4].float().numpy()

    report(f"diffusers {options.kind}", f"diffusers {diffusers.__version__}, torch {torch.__version__}", options, call)


if __name__ == "__main__":
    main()
