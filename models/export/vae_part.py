"""A checkpoint's autoencoder, whose decoder goes into the bundle: what its configuration may say, and its weights."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import AutoencoderKL
from torch import nn

from .config import Rules, check_fields, expect, read_json, with_defaults
from .decoder import VaeDecoder
from .weights import Weights, empty_model, open_weights, shapes_of

STEM = "diffusion_pytorch_model"

RULES = Rules(
    used=frozenset(
        {
            "block_out_channels",
            "layers_per_block",
            "act_fn",
            "latent_channels",
            "norm_num_groups",
            "scaling_factor",
            "use_post_quant_conv",
            "mid_block_add_attention",
            "up_block_types",
            "latents_mean",
            "latents_std",
        }
    ),
    choices={"out_channels": (3,)},
    # Fields of the encoder; of tiling and precision, which we decide; and the shift, which diffusers' PixArt pipelines
    # do not add.
    without_effect=frozenset(
        {"in_channels", "down_block_types", "use_quant_conv", "sample_size", "force_upcast", "shift_factor"}
    ),
)
NORMALISED = "diffusers' PixArt pipelines do not use it: write null if the transformer was trained without it."

HARMLESS = {r"encoder\..*": "only pictures are decoded", r"quant_conv\..*": "the encoder's last layer"}

OLD_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}
"""The names of attention's projections in files of earlier versions of diffusers."""


@dataclass(frozen=True)
class VaePart:
    config: dict[str, Any]
    norms: int
    """The decoder's number of group norms."""
    weights: Weights

    @property
    def groups(self) -> int:
        """The number of groups in each norm."""
        return self.config["norm_num_groups"]

    @property
    def factor(self) -> int:
        """Image pixels for each latent, along each side."""
        return 2 ** (len(self.config["block_out_channels"]) - 1)

    @property
    def notes(self) -> list[str]:
        shift = self.config["shift_factor"]
        return [f"vae: shift_factor {shift} is not added, as in diffusers' PixArt pipelines"] if shift else []

    def empty(self) -> AutoencoderKL:
        """The autoencoder without its encoder, and without its weights' values."""
        return _build(self.weights.folder / "config.json", self.config)

    def empty_decoder(self) -> VaeDecoder:
        """The decoder, without its weights' values."""
        return VaeDecoder(self.empty()).eval()


def open_vae(checkpoint: Path) -> VaePart:
    """Reads `vae/`, but not its weights' values. Raises `ExportError` for what a bundle could not reproduce."""
    folder = checkpoint / "vae"
    where = folder / "config.json"
    raw = read_json(where)
    expect(where, "_class_name", raw.get("_class_name"), ("AutoencoderKL",))
    config = with_defaults(AutoencoderKL, raw)
    check_fields(where, config, RULES)
    for name in ("latents_mean", "latents_std"):
        expect(where, name, config[name], (None,), NORMALISED)
    vae = _build(where, config)
    for block in config["up_block_types"]:
        expect(where, "up_block_types", block, ("UpDecoderBlock2D",))
    weights = open_weights(folder, STEM, shapes_of(vae), HARMLESS, rename=_renamed)
    norms = sum(isinstance(module, nn.GroupNorm) for module in vae.decoder.modules())
    return VaePart(config, norms, weights)


def _build(where: Path, config: dict[str, Any]) -> AutoencoderKL:
    parameters = {name: value for name, value in config.items() if name in RULES.known}
    vae = empty_model(where, lambda: AutoencoderKL(**parameters))
    vae.encoder = vae.quant_conv = None
    return vae


def _renamed(names: set[str]) -> Mapping[str, str]:
    old = re.compile(rf"(.*\.attentions\.\d+\.)({'|'.join(OLD_NAMES)})(\.weight|\.bias)")
    matches = [match for name in names if (match := old.fullmatch(name))]
    return {match[0]: match[1] + OLD_NAMES[match[2]] + match[3] for match in matches}
