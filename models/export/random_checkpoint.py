"""A whole checkpoint with random weights of real size: `models/python.sh -m export.random_checkpoint <folder>`.

Weights are drawn one tensor after another, so that little memory is needed (random_weights.py).
"""

import argparse
import json
import math
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import diffusers
import torch
from diffusers import AutoencoderKL, DPMSolverMultistepScheduler, PixArtTransformer2DModel
from torch import nn
from transformers import T5Config, T5EncoderModel

from . import text_encoder_part, transformer_part
from .errors import ExportError, in_a_line
from .made_up_tokenizer import write_tokenizer
from .progress import Progress, Report, say
from .quiet import quiet_libraries
from .random_weights import SIZES, Draw, Networks, draws_of
from .target import check_room, unfinished_folder
from .tensor_file import Shape, write_tensors
from .weights import empty_model, shapes_of

DTYPES = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
SHARD_BYTES = 5 * 10**9


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


def write_checkpoint(folder: Path, networks: Networks, dtype: torch.dtype, report: Report = say) -> None:
    """Writes the checkpoint; the folder appears once it is whole.

    Raises `ExportError` if the folder is not empty or the disk is too full, before anything is drawn.
    """
    models = _models(folder, networks)
    stems = {"text_encoder": text_encoder_part.STEM}
    draws = draws_of(networks)
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
        write_tokenizer(unfinished / "tokenizer", networks.text_encoder["vocab_size"])
        _write_index(unfinished)
    report(f"{folder}: written")


def _models(folder: Path, networks: Networks) -> dict[str, nn.Module]:
    """The three networks without memory for their weights."""
    text_config = T5Config(**networks.text_encoder, architectures=["T5EncoderModel"])
    sizes = {"sample_size": 64, "interpolation_scale": 1}
    return {
        "text_encoder": empty_model(folder, lambda: T5EncoderModel(text_config)),
        "transformer": empty_model(folder, lambda: PixArtTransformer2DModel(**networks.transformer, **sizes)),
        "vae": empty_model(folder, lambda: AutoencoderKL(**networks.vae)),
    }


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
