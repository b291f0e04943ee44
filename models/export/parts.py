"""The four graphs of a bundle: module, example inputs and dynamic axes of each (docs/bundle-format.md)."""

import torch
from diffusers import AutoencoderKL
from diffusers.models.attention_processor import Attention
from torch import Tensor, nn
from transformers import T5EncoderModel

from .attention import multi_head_attention
from .graphs import Graph
from .transformer import CaptionProjection, PixArtTransformer

BATCH, TOKENS, HEIGHT, WIDTH = 2, 11, 6, 10
"""The example's sizes. None is 1 and no two are equal, so that none is taken for a constant or for another."""

TEXT_AXES = {0: "batch", 1: "tokens"}
LATENT_AXES = {0: "batch", 2: "height", 3: "width"}


class TextEncoder(nn.Module):
    """Token ids to text states."""

    def __init__(self, encoder: T5EncoderModel):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.encoder(input_ids, attention_mask).last_hidden_state


class VaeDecoder(nn.Module):
    """Latents, already divided by the scaling factor, to an image of −1 … 1."""

    def __init__(self, vae: AutoencoderKL):
        super().__init__()
        self.post_quant_conv = vae.post_quant_conv if vae.post_quant_conv is not None else nn.Identity()
        self.decoder = vae.decoder
        # A decoder made without attention holds None in its place.
        for attention in filter(None, self.decoder.mid_block.attentions):
            attention.set_processor(VaeAttention())

    def forward(self, latents: Tensor) -> Tensor:
        return self.decoder(self.post_quant_conv(latents))


class VaeAttention:
    """The decoder's one attention, with the operator that does not build the tokens × tokens matrix."""

    def __call__(self, attention: Attention, x: Tensor, **_: object) -> Tensor:
        tokens = attention.group_norm(x.flatten(2)).mT
        attended = multi_head_attention(
            attention.to_q(tokens), attention.to_k(tokens), attention.to_v(tokens), attention.heads
        )
        return x + attention.to_out[0](attended).mT.unflatten(2, x.shape[2:])


def text_encoder_graph(encoder: T5EncoderModel, batch: int = BATCH, tokens: int = TOKENS) -> Graph:
    ids = torch.randint(encoder.config.vocab_size, (batch, tokens))
    return Graph(
        file="text_encoder.onnx",
        module=TextEncoder(encoder).eval(),
        inputs={"input_ids": ids, "attention_mask": padding_mask(batch, tokens)},
        dynamic={"input_ids": TEXT_AXES, "attention_mask": TEXT_AXES},
        output="text_states",
    )


def caption_projection_graph(projection: CaptionProjection, batch: int = BATCH, tokens: int = TOKENS) -> Graph:
    return Graph(
        file="caption_projection.onnx",
        module=projection,
        inputs={"text_states": torch.randn(batch, tokens, projection.linear_1.in_features)},
        dynamic={"text_states": TEXT_AXES},
        output="caption",
    )


def transformer_graph(
    transformer: PixArtTransformer,
    batch: int = BATCH,
    tokens: int = TOKENS,
    height: int = HEIGHT,
    width: int = WIDTH,
) -> Graph:
    shape = transformer.shape
    image_tokens = (height // shape.patch) * (width // shape.patch)
    return Graph(
        file="transformer.onnx",
        module=transformer,
        inputs={
            "latents": torch.randn(batch, shape.latent_channels, height, width),
            "timestep": torch.rand(batch) * 999,
            "position_embedding": torch.randn(1, image_tokens, shape.width),
            "caption": torch.randn(batch, tokens, shape.width),
            "caption_mask": padding_mask(batch, tokens),
        },
        dynamic={
            "latents": LATENT_AXES,
            "timestep": {0: "batch"},
            "position_embedding": {1: "image_tokens"},
            "caption": TEXT_AXES,
            "caption_mask": TEXT_AXES,
        },
        output="prediction",
    )


def vae_decoder_graph(vae: AutoencoderKL, batch: int = BATCH, height: int = HEIGHT, width: int = WIDTH) -> Graph:
    return Graph(
        file="vae_decoder.onnx",
        module=VaeDecoder(vae).eval(),
        inputs={"latents": torch.randn(batch, vae.config.latent_channels, height, width)},
        dynamic={"latents": LATENT_AXES},
        output="image",
    )


def padding_mask(batch: int, tokens: int) -> Tensor:
    """A mask [B, T] whose rows have different numbers of tokens, at least one each."""
    lengths = torch.linspace(tokens, 1, batch).long()
    return (torch.arange(tokens)[None] < lengths[:, None]).long()
