"""Reads a checkpoint in Hugging Face's PixArt-Σ folder layout and refuses what the bundle could not reproduce."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL
from safetensors.torch import load_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import AutoTokenizer, T5EncoderModel

from network.kv_compression import KvCompression
from network.transformer import PixArtTransformer, TransformerShape

from .config import expect, read_json
from .errors import ExportError

PARTS = ("transformer", "text_encoder", "vae", "tokenizer", "scheduler")
WEIGHTS = "diffusion_pytorch_model.safetensors"
NOT_USED = {"pos_embed.pos_embed", "caption_projection.y_embedding"}
"""Tensors that some checkpoints carry and sampling never reads."""

TRANSFORMER_FACTS = {
    "activation_fn": "gelu-approximate",
    "attention_bias": True,
    "norm_type": "ada_norm_single",
    "norm_elementwise_affine": False,
    "in_channels": 4,
}


@dataclass(frozen=True)
class TokenizerPart:
    tokenizer: Tokenizer
    pad_id: int
    eos_id: int


def check_layout(folder: Path) -> None:
    """Raises `ExportError` naming every part of the layout that `folder` lacks."""
    missing = [part for part in PARTS if not (folder / part).is_dir()]
    if missing:
        raise ExportError(
            f"{folder}: expected the folders {', '.join(PARTS)}; {', '.join(missing)} not found. "
            "Where a published checkpoint has only its transformer, put the other parts beside it first."
        )


def load_transformer(folder: Path) -> PixArtTransformer:
    """Loads `transformer/` in float32."""
    config = read_json(folder / "transformer" / "config.json")
    shape = _transformer_shape(config, folder)
    state = {name: tensor.float() for name, tensor in _read_weights(folder / "transformer").items()}
    if any("resolution_embedder" in name for name in state):
        raise ExportError(f"{folder}/transformer: conditioned on image size, so PixArt-α and not PixArt-Σ.")
    with torch.device("meta"):
        transformer = PixArtTransformer(shape)
    try:
        transformer.load_state_dict(state, assign=True)
    except RuntimeError as error:
        raise ExportError(f"{folder}/transformer: weights do not fit config.json. {error}") from error
    return transformer.eval().requires_grad_(False)


def load_position_range(folder: Path) -> float:
    """Sample size over interpolation scale: the range of positions, in latents, that the model was trained to span."""
    config = read_json(folder / "transformer" / "config.json")
    sample_size = config["sample_size"]
    return sample_size / (config.get("interpolation_scale") or max(sample_size // 64, 1))


def _transformer_shape(config: dict[str, Any], folder: Path) -> TransformerShape:
    where = folder / "transformer" / "config.json"
    for name, expected in TRANSFORMER_FACTS.items():
        expect(where, name, config.get(name, expected), (expected,))
    width = config["num_attention_heads"] * config["attention_head_dim"]
    expect(where, "cross_attention_dim", config.get("cross_attention_dim"), (width,))
    if not config.get("caption_channels"):
        raise ExportError(f"{where}: caption_channels is not set; a PixArt-Σ transformer projects its captions.")
    return TransformerShape(
        layers=config["num_layers"],
        heads=config["num_attention_heads"],
        head_width=config["attention_head_dim"],
        patch=config["patch_size"],
        latent_channels=config["in_channels"],
        out_channels=config.get("out_channels") or config["in_channels"],
        caption_width=config["caption_channels"],
        kv_compression=_kv_compression(config, where),
    )


def _kv_compression(config: dict[str, Any], where: Path) -> KvCompression | None:
    entry = config.get("kv_compression")
    if not entry:
        return None
    expect(where, "kv_compression.sampling", entry.get("sampling"), ("conv",))
    layers = tuple(entry["layers"])
    if not set(layers) <= set(range(config["num_layers"])):
        raise ExportError(
            f"{where}: kv_compression.layers {list(layers)}, but the layers are 0 … {config['num_layers'] - 1}."
        )
    return KvCompression(layers=layers, scale=entry["scale"])


def load_text_encoder(folder: Path) -> T5EncoderModel:
    """Loads `text_encoder/` in float32."""
    return T5EncoderModel.from_pretrained(
        folder / "text_encoder", dtype=torch.float32, attn_implementation="eager"
    ).eval()


def load_vae(folder: Path) -> AutoencoderKL:
    """Loads `vae/` in float32."""
    return AutoencoderKL.from_pretrained(folder / "vae", torch_dtype=torch.float32).eval()


def load_tokenizer(folder: Path) -> TokenizerPart:
    """Loads `tokenizer/`; a SentencePiece model without `tokenizer.json` is converted."""
    loaded = AutoTokenizer.from_pretrained(folder / "tokenizer")
    tokenizer = loaded.backend_tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    pad_id, eos_id = loaded.pad_token_id, loaded.eos_token_id
    if pad_id is None or eos_id is None or tokenizer.encode("").ids != [eos_id]:
        raise ExportError(
            f"{folder}/tokenizer: expected a padding token and an end token that ends every text; found "
            f"padding {loaded.pad_token!r}, end {loaded.eos_token!r}, and {tokenizer.encode('').tokens} for ''."
        )
    return TokenizerPart(tokenizer, pad_id, eos_id)


def _read_weights(part: Path) -> dict[str, Tensor]:
    index = part / f"{WEIGHTS}.index.json"
    shards = sorted(set(read_json(index)["weight_map"].values())) if index.is_file() else [WEIGHTS]
    state: dict[str, Tensor] = {}
    for shard in shards:
        if not (part / shard).is_file():
            raise ExportError(f"{part / shard}: not found; weights are read from safetensors files only.")
        state.update(load_file(part / shard))
    return {name: tensor for name, tensor in state.items() if name not in NOT_USED}
