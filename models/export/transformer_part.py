"""A checkpoint's transformer: what its configuration may say, and its weights."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import PixArtTransformer2DModel

from network.kv_compression import KvCompression
from network.transformer import PixArtTransformer, TransformerShape

from .config import Rules, check_fields, expect, expect_few_layers, read_json, with_defaults
from .errors import ExportError
from .weights import Weights, empty_model, open_weights, shapes_of

STEM = "diffusion_pytorch_model"
PIXELS_PER_LATENT = 8

RULES = Rules(
    used=frozenset(
        {
            "num_layers",
            "num_attention_heads",
            "attention_head_dim",
            "patch_size",
            "out_channels",
            "caption_channels",
            "cross_attention_dim",
            "sample_size",
            "interpolation_scale",
            "use_additional_conditions",
            "kv_compression",
        }
    ),
    choices={
        "in_channels": (4,),
        "activation_fn": ("gelu-approximate",),
        "attention_bias": (True,),
        "attention_type": ("default", None),
        "norm_type": ("ada_norm_single",),
        "norm_elementwise_affine": (False,),
        "norm_eps": (1e-6,),
        # Fields of the class that checkpoints were saved with before PixArt had its own.
        "double_self_attention": (False,),
        "only_cross_attention": (False,),
        "num_vector_embeds": (None,),
    },
    without_effect=frozenset(
        {"dropout", "norm_num_groups", "num_embeds_ada_norm", "upcast_attention", "use_linear_projection"}
    ),
)

HARMLESS = {
    r"pos_embed\.pos_embed": "positions, which are computed for each size",
    r"caption_projection\.y_embedding": "the caption of training without one",
}


@dataclass(frozen=True)
class TransformerPart:
    shape: TransformerShape
    sample_size: int
    position_range: float
    """Sample size over interpolation scale: the range of positions, in latents, that the model was trained to span."""
    weights: Weights

    def empty(self) -> PixArtTransformer:
        """The transformer, without its weights' values."""
        return empty_model(self.weights.folder, lambda: PixArtTransformer(self.shape))

    def load(self) -> PixArtTransformer:
        """Loads the transformer in float32."""
        transformer = self.empty()
        transformer.load_state_dict(self.weights.load(), assign=True)
        return transformer.requires_grad_(False)


def open_transformer(checkpoint: Path, pixels_per_latent: int = PIXELS_PER_LATENT) -> TransformerPart:
    """Reads `transformer/`, but not its weights' values.

    `pixels_per_latent` is the autoencoder's, for a model that receives the size of its image.

    Raises `ExportError` for anything that a bundle could not reproduce.
    """
    folder = checkpoint / "transformer"
    where = folder / "config.json"
    raw = read_json(where)
    expect(where, "_class_name", raw.get("_class_name"), ("PixArtTransformer2DModel", "Transformer2DModel"))
    # The older class covers many models, and this field says which one it is.
    if raw["_class_name"] == "Transformer2DModel":
        expect(where, "norm_type", raw.get("norm_type"), RULES.choices["norm_type"])
    config = with_defaults(PixArtTransformer2DModel, raw)
    check_fields(where, config, RULES)
    _check_numbers(where, config)
    shape = _shape(where, config, pixels_per_latent)
    expected = shapes_of(empty_model(where, lambda: PixArtTransformer(shape)))
    weights = open_weights(folder, STEM, expected, HARMLESS)
    sample_size = config["sample_size"]
    position_range = sample_size / (config["interpolation_scale"] or max(sample_size // 64, 1))
    return TransformerPart(shape, sample_size, position_range, weights)


def _check_numbers(where: Path, config: dict[str, Any]) -> None:
    whole = ("num_layers", "num_attention_heads", "attention_head_dim", "patch_size", "caption_channels", "sample_size")
    for name in whole:
        if type(config[name]) is not int or config[name] < 1:
            raise ExportError(f"{where}: {name} is {config[name]!r}; a PixArt transformer has a whole number above 0.")
    expect_few_layers(where, config["num_layers"])
    scale = config["interpolation_scale"]
    if scale is not None and (type(scale) not in (int, float) or not 0 < scale < float("inf")):
        raise ExportError(f"{where}: interpolation_scale is {scale!r}; expected a number above 0, or null.")


def _shape(where: Path, config: dict[str, Any], pixels_per_latent: int) -> TransformerShape:
    width = config["num_attention_heads"] * config["attention_head_dim"]
    channels = config["in_channels"]
    expect(where, "cross_attention_dim", config["cross_attention_dim"], (width,))
    # Twice as many if the model also predicts a variance, which sampling ignores.
    expect(where, "out_channels", config["out_channels"], (channels, 2 * channels, None))
    is_told_sizes = _is_told_sizes(where, config)
    if is_told_sizes and width % 3:
        raise ExportError(f"{where}: {width} channels cannot be shared by height, width and aspect ratio.")
    return TransformerShape(
        layers=config["num_layers"],
        heads=config["num_attention_heads"],
        head_width=config["attention_head_dim"],
        patch=config["patch_size"],
        latent_channels=channels,
        out_channels=config["out_channels"] or channels,
        caption_width=config["caption_channels"],
        kv_compression=_kv_compression(config, where),
        pixels_per_latent=pixels_per_latent if is_told_sizes else None,
    )


def _is_told_sizes(where: Path, config: dict[str, Any]) -> bool:
    """Whether the model receives the image's size; by default diffusers decides by the sample size."""
    asked = config["use_additional_conditions"]
    expect(where, "use_additional_conditions", asked, (True, False, None))
    return config["sample_size"] == 128 if asked is None else asked


def _kv_compression(config: dict[str, Any], where: Path) -> KvCompression | None:
    entry = config.get("kv_compression")
    if not entry:
        return None
    if not isinstance(entry, dict) or entry.keys() != {"layers", "scale", "sampling"}:
        raise ExportError(f"{where}: kv_compression is {entry!r}; expected layers, scale and sampling.")
    expect(where, "kv_compression.sampling", entry["sampling"], ("conv",))
    layers, scale = entry["layers"], entry["scale"]
    if type(scale) is not int or scale < 2:
        raise ExportError(f"{where}: kv_compression.scale is {scale!r}; expected a whole number of 2 or more.")
    if not isinstance(layers, list) or not all(layer in range(config["num_layers"]) for layer in layers):
        raise ExportError(
            f"{where}: kv_compression.layers {layers}, but the layers are 0 … {config['num_layers'] - 1}."
        )
    return KvCompression(layers=tuple(layers), scale=scale)
