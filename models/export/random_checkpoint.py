"""A whole checkpoint with random weights of real size: `models/python.sh -m export.random_checkpoint <folder>`.

Weights are drawn one tensor after another, so that little memory is needed. The features that make published weights
hard to store in few bits are included on purpose: single channels far above the rest, and in T5 activations of 66,000,
beyond float16.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, PixArtTransformer2DModel
from torch import Tensor
from transformers import T5Config, T5EncoderModel

from . import text_encoder_part, transformer_part
from .errors import ExportError, in_a_line
from .made_up_tokenizer import write_tokenizer
from .progress import Progress, Report, say
from .quiet import quiet_libraries
from .target import check_room, unfinished_folder
from .tensor_file import Shape, write_tensors
from .weights import empty_model, shapes_of

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
SHARD_BYTES = 5 * 10**9
POOL = 2**24 + 43
"""How many numbers are drawn; a prime, so that rows differ in a matrix that reuses them."""

Draw = Callable[[str, Shape], Tensor]


@dataclass(frozen=True)
class Size:
    """The dimensions of a checkpoint."""

    layers: int
    heads: int
    head_width: int
    text_layers: int
    text_width: int
    text_inner: int
    text_heads: int
    text_head_width: int
    vae_channels: tuple[int, ...]
    vae_groups: int


SIZES = {
    "xl": Size(28, 16, 72, 24, 4096, 10240, 64, 64, (128, 256, 512, 512), 32),
    "tiny": Size(3, 4, 12, 4, 64, 160, 4, 16, (8, 8, 16, 16), 4),
}
VOCABULARY = 32_128

STREAM = 1000.0
"""T5's hidden states before their last norm: so large that a channel of 66,000 does not drown out the others."""
LARGEST = 66_000.0
USUAL_PEAK = 7.0
"""Roughly the largest square of a normal number over the tokens of a caption."""
LARGE_TEXT_CHANNELS = 8
LARGE_CHANNELS, LARGE_BY = 5, 30.0
"""Channels of the transformer's image tokens, and by how much more they receive than the others."""


def main(arguments: list[str]) -> int:
    """Runs the command; returns its exit code: 0 done, 1 the folder is not empty or not writable, 130 stopped."""
    parser = argparse.ArgumentParser(prog="python -m export.random_checkpoint", description=__doc__)
    parser.add_argument("folder", type=Path, help="folder to write; must be empty or not exist yet")
    parser.add_argument("--size", choices=SIZES, default="xl", help="default: %(default)s, the size of PixArt-Σ XL/2")
    parser.add_argument("--dtype", choices=DTYPES, default="bf16", help="default: %(default)s")
    options = parser.parse_args(arguments)
    quiet_libraries()
    try:
        write_checkpoint(options.folder, SIZES[options.size], DTYPES[options.dtype])
    except ExportError as error:
        print(f"random_checkpoint: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"random_checkpoint: {in_a_line(error)}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("random_checkpoint: stopped; nothing was left behind.", file=sys.stderr)
        return 130
    return 0


def write_checkpoint(folder: Path, size: Size, dtype: torch.dtype, report: Report = say) -> None:
    """Writes the checkpoint; the folder appears once it is whole.

    Raises `ExportError` if the folder is not empty or the disk is too full, before anything is drawn.
    """
    config = _text_config(size)
    models = {
        "text_encoder": empty_model(folder, lambda: T5EncoderModel(config)),
        "transformer": empty_model(folder, lambda: PixArtTransformer2DModel(**_transformer_config(size))),
        "vae": empty_model(folder, lambda: AutoencoderKL(**_vae_config(size))),
    }
    stems = {"text_encoder": text_encoder_part.STEM}
    draws = {"text_encoder": _TextDraw(size), "transformer": _draw_transformer, "vae": _draw_vae}
    shapes = {part: shapes_of(model) for part, model in models.items()}
    del shapes["text_encoder"][text_encoder_part.COPY]
    needed = sum(_bytes(each, dtype) for each in shapes.values())
    torch.manual_seed(0)
    with unfinished_folder(folder) as unfinished:
        check_room(unfinished, needed, advice="Free some space or choose another folder.")
        report(f"{folder}: needs {needed / 1e9:.1f} GB of disk space")
        for part, model in models.items():
            inside = unfinished / part
            inside.mkdir()
            model.config.save_pretrained(inside) if part == "text_encoder" else model.save_config(inside)
            stem = stems.get(part, transformer_part.STEM)
            _write_shards(inside / f"{stem}.safetensors", shapes[part], draws[part], dtype, report)
        DPMSolverMultistepScheduler(beta_start=0.0001, beta_end=0.02).save_config(unfinished / "scheduler")
        write_tokenizer(unfinished / "tokenizer", VOCABULARY)
        _write_index(unfinished)
    report(f"{folder}: written")


def _write_shards(file: Path, shapes: Mapping[str, Shape], draw: Draw, dtype: torch.dtype, report: Report) -> None:
    """Writes `file`, or shards with an index if it would be larger than one shard."""
    total = _bytes(shapes, dtype)
    progress = Progress(f"{file.parent.name}: written", total, report)
    shards = _shards(shapes, dtype)
    where: dict[str, str] = {}
    before = 0
    for number, shard in enumerate(shards, 1):
        one = file if len(shards) == 1 else file.with_stem(f"{file.stem}-{number:05}-of-{len(shards):05}")
        reached = partial(lambda start, done: progress.reached(start + done), before)
        write_tensors(one, shard, dtype, lambda name, shape: draw(name, shape).to(dtype), reached)
        before += _bytes(shard, dtype)
        where |= dict.fromkeys(shard, one.name)
    if len(shards) > 1:
        index = {"metadata": {"total_size": total}, "weight_map": where}
        file.with_name(f"{file.name}.index.json").write_text(json.dumps(index, indent=2), encoding="utf-8")


def _shards(shapes: Mapping[str, Shape], dtype: torch.dtype) -> list[dict[str, Shape]]:
    shards: list[dict[str, Shape]] = [{}]
    for name, shape in shapes.items():
        if shards[-1] and _bytes({**shards[-1], name: shape}, dtype) > SHARD_BYTES:
            shards.append({})
        shards[-1][name] = shape
    return shards


def _bytes(shapes: Mapping[str, Shape], dtype: torch.dtype) -> int:
    return sum(math.prod(shape) for shape in shapes.values()) * dtype.itemsize


class _TextDraw:
    """T5's weights: each layer adds a quarter of the stream to it, and in every third some channels reach `LARGEST`.

    There the two factors of the gated layer follow the same direction, so their product is a square, and `wo` passes
    one of these channels to the stream unchanged and the others hardly at all.
    """

    def __init__(self, size: Size):
        self.size = size

    def __call__(self, name: str, shape: Shape) -> Tensor:
        kind, size = name.split(".")[-2], self.size
        if kind in ("wi_0", "wi_1"):
            return self._inner(name, shape)
        if kind == "wo":
            return self._output(name, shape)
        mean, deviation = {
            "shared": (0, STREAM),
            "relative_attention_bias": (0, 1),
            "layer_norm": (1, 0.1),
            "final_layer_norm": (0.15, 0.02),
            # T5 does not scale the product of queries and keys.
            "q": (0, 1 / math.sqrt(size.text_width * size.text_head_width)),
            "o": (0, STREAM / 4 / math.sqrt(size.text_heads * size.text_head_width)),
        }.get(kind, (0, 1 / math.sqrt(size.text_width)))
        return _scaled(shape, deviation).add_(mean)

    def _inner(self, name: str, shape: Shape) -> Tensor:
        weight = _scaled(shape, 1 / math.sqrt(self.size.text_width))
        if _has_large_channels(name):
            rows = torch.Generator().manual_seed(_layer(name))
            direction = torch.randn((LARGE_TEXT_CHANNELS, shape[1]), generator=rows) / math.sqrt(shape[1])
            weight[:LARGE_TEXT_CHANNELS] = direction * math.sqrt(LARGEST / USUAL_PEAK)
        return weight

    def _output(self, name: str, shape: Shape) -> Tensor:
        weight = _scaled(shape, STREAM / 2.4 / math.sqrt(self.size.text_inner))
        if _has_large_channels(name):
            weight[:, :LARGE_TEXT_CHANNELS] = _normal((shape[0], LARGE_TEXT_CHANNELS)) * 1e-3
            weight[_layer(name) % 7, 0] = 1.0
        return weight


def _has_large_channels(name: str) -> bool:
    return _layer(name) % 3 == 1


def _layer(name: str) -> int:
    return int(name.split(".")[2])


def _draw_transformer(name: str, shape: Shape) -> Tensor:
    if "table" in name:
        return _normal(shape) * 0.3
    weight = _draw(name, shape)
    if name.endswith(("attn1.to_out.0.weight", "ff.net.2.weight", "pos_embed.proj.weight")):
        weight[:: shape[0] // LARGE_CHANNELS] *= LARGE_BY
    if name == "caption_projection.linear_1.weight":
        # T5's states are small.
        weight *= 6
    return weight


def _draw_vae(name: str, shape: Shape) -> Tensor:
    return _draw(name, shape) * (0.3 if name == "decoder.conv_out.weight" else 1)


def _draw(name: str, shape: Shape) -> Tensor:
    """Matrices preserve the variance of their input; norms are near 1 and biases near 0."""
    if len(shape) > 1:
        return _scaled(shape, 1 / math.sqrt(math.prod(shape[1:])))
    return _normal(shape) * 0.05 + (1 if "norm" in name and name.endswith("weight") else 0)


@cache
def _pool() -> Tensor:
    return torch.randn(POOL, generator=torch.Generator().manual_seed(0))


def _normal(shape: Shape) -> Tensor:
    """Normal numbers from a pool, starting anywhere in it: drawing five billion new ones would take minutes."""
    pool, count = _pool(), math.prod(shape)
    start = int(torch.randint(POOL, ()))
    drawn = torch.empty(count)
    done = 0
    while done < count:
        part = pool[start : start + count - done]
        drawn[done : done + len(part)] = part
        done, start = done + len(part), 0
    return drawn.reshape(shape)


def _scaled(shape: Shape, deviation: float) -> Tensor:
    return _normal(shape).mul_(deviation)


def _text_config(size: Size) -> T5Config:
    return T5Config(
        vocab_size=VOCABULARY,
        d_model=size.text_width,
        d_kv=size.text_head_width,
        d_ff=size.text_inner,
        num_layers=size.text_layers,
        num_heads=size.text_heads,
        feed_forward_proj="gated-gelu",
        architectures=["T5EncoderModel"],
    )


def _transformer_config(size: Size) -> dict[str, object]:
    return {
        "num_layers": size.layers,
        "num_attention_heads": size.heads,
        "attention_head_dim": size.head_width,
        "cross_attention_dim": size.heads * size.head_width,
        "caption_channels": size.text_width,
        "in_channels": 4,
        "out_channels": 8,
        "sample_size": 64,
        "interpolation_scale": 1,
        "use_additional_conditions": False,
    }


def _vae_config(size: Size) -> dict[str, object]:
    blocks = len(size.vae_channels)
    return {
        "down_block_types": ["DownEncoderBlock2D"] * blocks,
        "up_block_types": ["UpDecoderBlock2D"] * blocks,
        "block_out_channels": size.vae_channels,
        "layers_per_block": 2,
        "norm_num_groups": size.vae_groups,
        "latent_channels": 4,
        "scaling_factor": 0.13025,
    }


def _write_index(folder: Path) -> None:
    index = {
        "_class_name": "PixArtSigmaPipeline",
        "_diffusers_version": diffusers.__version__,
        "scheduler": ["diffusers", "DPMSolverMultistepScheduler"],
        "text_encoder": ["transformers", "T5EncoderModel"],
        "tokenizer": ["transformers", "T5Tokenizer"],
        "transformer": ["diffusers", "PixArtTransformer2DModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
