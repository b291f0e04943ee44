"""The four graphs of a bundle: module, example inputs and dynamic axes of each (docs/bundle-format.md).

`read` returns the weights of a module that holds none, by the checkpoint's names for them.
"""

import torch
from torch import Tensor, nn
from transformers import T5EncoderModel

from network.shuffle_decoder import ShuffleDecoder
from network.transformer import CaptionProjection, PixArtTransformer

from .decoder import VaeDecoder
from .graphs import Graph
from .recipes import Read

BATCH, TOKENS, HEIGHT, WIDTH = 2, 11, 6, 10
"""The example's sizes. None is 1 and no two are equal, so that none is mistaken for a constant or for another."""

TEXT_AXES = {0: "batch", 1: "tokens"}
LATENT_AXES = {0: "batch", 2: "height", 3: "width"}


class TextEncoder(nn.Module):
    """Token ids to text states."""

    def __init__(self, encoder: T5EncoderModel):
        super().__init__()
        self.encoder = encoder

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        return self.encoder(input_ids, attention_mask).last_hidden_state


def text_encoder_graph(
    encoder: T5EncoderModel, batch: int = BATCH, tokens: int = TOKENS, read: Read | None = None
) -> Graph:
    ids = torch.randint(encoder.config.vocab_size, (batch, tokens))
    return Graph(
        file="text_encoder.onnx",
        module=TextEncoder(encoder).eval(),
        inputs={"input_ids": ids, "attention_mask": padding_mask(batch, tokens)},
        dynamic={"input_ids": TEXT_AXES, "attention_mask": TEXT_AXES},
        outputs=("text_states",),
        read=read and (lambda name: read(name.removeprefix("encoder."))),
    )


def caption_projection_graph(
    projection: CaptionProjection, batch: int = BATCH, tokens: int = TOKENS, read: Read | None = None
) -> Graph:
    return Graph(
        file="caption_projection.onnx",
        module=projection,
        inputs={"text_states": torch.randn(batch, tokens, projection.linear_1.in_features)},
        dynamic={"text_states": TEXT_AXES},
        outputs=("caption",),
        read=read and (lambda name: read(f"caption_projection.{name}")),
    )


def transformer_graph(
    transformer: PixArtTransformer,
    batch: int = BATCH,
    tokens: int = TOKENS,
    height: int = HEIGHT,
    width: int = WIDTH,
    *,
    read: Read | None = None,
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
        outputs=("prediction",),
        read=read,
    )


def vae_decoder_graph(
    decoder: VaeDecoder,
    batch: int = BATCH,
    height: int = HEIGHT,
    width: int = WIDTH,
    *,
    is_given: bool = False,
    read: Read | None = None,
) -> Graph:
    channels, groups = decoder.decoder.conv_in.in_channels, decoder.decoder.conv_norm_out.groups
    return Graph(
        file="vae_decoder.onnx",
        module=decoder,
        inputs={
            "latents": torch.randn(batch, channels, height, width),
            "given_statistics": torch.rand(batch, decoder.norms, 2, groups),
            "is_given": torch.tensor([is_given]),
        },
        dynamic={"latents": LATENT_AXES, "given_statistics": {0: "batch"}, "is_given": {}},
        outputs=("image", "statistics"),
        read=read,
    )


def shuffle_decoder_graph(
    decoder: ShuffleDecoder, batch: int = BATCH, height: int = HEIGHT, width: int = WIDTH, *, read: Read | None = None
) -> Graph:
    return Graph(
        file="vae_decoder.onnx",
        module=decoder,
        inputs={"latents": torch.randn(batch, decoder.shape.latent_channels, height, width)},
        dynamic={"latents": LATENT_AXES},
        outputs=("image",),
        read=read,
    )


def decoder_graphs(decoder: VaeDecoder | ShuffleDecoder, read: Read | None = None) -> list[Graph]:
    """The decoder's graph with two examples: a batch, and a small image, with given statistics if it takes any."""
    small = {"batch": 1, "height": 9, "width": 4}
    if isinstance(decoder, ShuffleDecoder):
        return [shuffle_decoder_graph(decoder, read=read), shuffle_decoder_graph(decoder, **small, read=read)]
    return [vae_decoder_graph(decoder, read=read), vae_decoder_graph(decoder, **small, is_given=True, read=read)]


def padding_mask(batch: int, tokens: int) -> Tensor:
    """A mask [B, T] whose rows have different numbers of tokens, at least one each."""
    lengths = torch.linspace(tokens, 1, batch).long()
    return (torch.arange(tokens)[None] < lengths[:, None]).long()
