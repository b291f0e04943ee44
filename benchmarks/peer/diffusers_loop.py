"""The shipped model in diffusers' own pipeline.

`models/python.sh benchmarks/peer/diffusers_loop.py --size 256 --threads 1`

Same weights, steps and guidance as the bundle pixart-icons, in float32, from prompt to pixels, without encoding a file.
diffusers has no key/value compression; the layers that have it get it as an attention processor, without which the peer
would both render a different image and be slower. Prints a line of JSON when it is ready, and one for each image.
"""

import argparse
import json
import os
import resource
import sys
import time
from pathlib import Path

# Set before torch loads OpenMP: waiting threads sleep, which is fair to a peer on shared cores.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import diffusers
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import PixArtSigmaPipeline, PixArtTransformer2DModel
from diffusers.models.attention_processor import Attention
from safetensors.torch import load_file
from torch import Tensor, nn

from network.kv_compression import is_compression_weight

CHECKPOINT = Path(__file__).parents[2] / "models" / "training" / "checkpoint"
PROMPT = "a red apple and a blue umbrella on a yellow background, flat"
MAX_TOKENS = 120
UNIT_SIZE = 256
"""The size in pixels at which the interpolation scale of the position embedding is 1."""


class CompressedAttention(nn.Module):
    """Self-attention of a square image with compressed keys and values (PixArt-Σ, section 3.3)."""

    def __init__(self, weights: dict[str, Tensor]):
        super().__init__()
        self.weights = {name: weight.float() for name, weight in weights.items()}

    def __call__(self, attn: Attention, hidden_states: Tensor, *_: object, **__: object) -> Tensor:
        key, value = self._shorten(attn.to_k(hidden_states)), self._shorten(attn.to_v(hidden_states))
        split = (t.unflatten(2, (attn.heads, -1)).transpose(1, 2) for t in (attn.to_q(hidden_states), key, value))
        return attn.to_out[0](F.scaled_dot_product_attention(*split).transpose(1, 2).flatten(2))

    def _shorten(self, x: Tensor) -> Tensor:
        w, side = self.weights, round(x.shape[1] ** 0.5)
        scale = w["sr.weight"].shape[-1]
        picture = x.mT.unflatten(2, (side, side))
        short = F.conv2d(picture, w["sr.weight"], w["sr.bias"], stride=scale, groups=x.shape[2])
        return F.layer_norm(short.flatten(2).mT, (x.shape[2],), w["norm.weight"], w["norm.bias"])


def load(size: int) -> PixArtSigmaPipeline:
    """The pipeline with position embeddings for `size`."""
    weights = load_file(CHECKPOINT / "transformer" / "diffusion_pytorch_model.safetensors")
    config = PixArtTransformer2DModel.load_config(CHECKPOINT / "transformer")
    config.pop("kv_compression", None)
    config |= {"sample_size": size // 8, "interpolation_scale": size / UNIT_SIZE}
    transformer = PixArtTransformer2DModel.from_config(config).eval()
    plain = {name: weight for name, weight in weights.items() if not is_compression_weight(name)}
    missing, unexpected = transformer.load_state_dict(plain, strict=False)
    if unexpected or set(missing) - {"pos_embed.pos_embed"}:
        raise ValueError(f"the weights do not match the model: missing {missing}, unexpected {unexpected}")
    for layer, block in enumerate(transformer.transformer_blocks):
        prefix = f"transformer_blocks.{layer}.attn1."
        own = {n.removeprefix(prefix): w for n, w in weights.items() if n.startswith(prefix)}
        compression = {name: weight for name, weight in own.items() if name.startswith(("sr.", "norm."))}
        if compression:
            block.attn1.set_processor(CompressedAttention(compression))
    return PixArtSigmaPipeline.from_pretrained(CHECKPOINT, transformer=transformer, torch_dtype=torch.float32)


def main() -> None:
    parser = argparse.ArgumentParser(prog="diffusers_loop.py", description=__doc__)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--in-turn", action="store_true", help="render one image for each line of standard input")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--keep", type=Path, help="a file for the pixels of the first image, a warm-up")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    diffusers.utils.logging.disable_progress_bar()
    pipeline = load(options.size)
    pipeline.set_progress_bar_config(disable=True)

    def draw(seed: int) -> np.ndarray:
        pictures = pipeline(
            f"{PROMPT} {seed}",
            height=options.size,
            width=options.size,
            num_inference_steps=options.steps,
            generator=torch.Generator().manual_seed(seed),
            output_type="np",
            use_resolution_binning=False,
            max_sequence_length=MAX_TOKENS,
        ).images
        return (pictures[0] * 255).round().astype(np.uint8)

    first = draw(0)
    if options.keep:
        first.tofile(options.keep)
    answer(
        {
            "what": "diffusers pipeline float32",
            "version": f"diffusers {diffusers.__version__}, torch {torch.__version__}",
            "peakMemoryMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        }
    )
    for seed, _ in enumerate(sys.stdin if options.in_turn else range(options.runs), 1):
        started, used = time.perf_counter(), time.process_time()
        draw(seed)
        seconds = time.process_time() - used
        answer({"processorSeconds": seconds, "wallSeconds": time.perf_counter() - started})


def answer(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
