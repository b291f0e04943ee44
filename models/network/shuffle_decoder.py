"""A decoder with convolutions only. It is cheap, since only the image itself is computed at full size."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch.nn.functional as F
from diffusers.utils import SAFETENSORS_WEIGHTS_NAME
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

CLASS_NAME = "ShuffleDecoder"


@dataclass(frozen=True)
class DecoderShape:
    """Channels and residual blocks of each level, starting at the latents' size; each level doubles the size."""

    latent_channels: int = 4
    channels: tuple[int, ...] = (160, 64, 32)
    blocks: tuple[int, ...] = (3, 3, 4)

    @property
    def factor(self) -> int:
        """Image pixels for each latent, along each side."""
        return 2 ** len(self.channels)

    @classmethod
    def of(cls, config: Mapping[str, Any]) -> "DecoderShape":
        """The shape according to config.json."""
        return cls(config["latent_channels"], tuple(config["channels"]), tuple(config["blocks"]))


class ResidualBlock(nn.Module):
    """Two convolutions and the identity, without norms (EDSR: Lim et al. 2017); only the identity before training."""

    def __init__(self, channels: int):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        nn.init.zeros_(self.conv2.weight)
        nn.init.zeros_(self.conv2.bias)

    def forward(self, x: Tensor) -> Tensor:
        return x + self.conv2(F.relu(self.conv1(x)))


class ShuffleDecoder(nn.Module):
    """From latents [B, C, h, w], already divided by the scaling factor, to an image of about −1 … 1, [B, 3, f h, f w].

    A level ends in a convolution whose channels become 2 × 2 pixels each (Shi et al. 2016); those of the last level
    become the image.
    """

    def __init__(self, shape: DecoderShape):
        super().__init__()
        self.shape = shape
        self.conv_in = nn.Conv2d(shape.latent_channels, shape.channels[0], 3, padding=1)
        self.levels = nn.ModuleList(
            nn.Sequential(*(ResidualBlock(channels) for _ in range(count)))
            for channels, count in zip(shape.channels, shape.blocks, strict=True)
        )
        self.ups = nn.ModuleList(
            nn.Conv2d(below, 4 * above, 1) for below, above in zip(shape.channels, shape.channels[1:], strict=False)
        )
        self.conv_out = nn.Conv2d(shape.channels[-1], 4 * 3, 3, padding=1)

    def forward(self, latents: Tensor) -> Tensor:
        x = self.conv_in(latents)
        for level, up in zip(self.levels, [*self.ups, self.conv_out], strict=True):
            x = F.pixel_shuffle(up(level(x)), 2)
        return x


def save_decoder(decoder: ShuffleDecoder, folder: Path) -> None:
    """Write config.json and the weights, in half precision, into a folder beside a checkpoint's `vae/`."""
    folder.mkdir(parents=True)
    config = {"_class_name": CLASS_NAME, **asdict(decoder.shape)}
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    weights = {name: weight.half().contiguous() for name, weight in decoder.state_dict().items()}
    save_file(weights, folder / SAFETENSORS_WEIGHTS_NAME, metadata={"format": "pt"})


def load_decoder(folder: Path) -> ShuffleDecoder:
    """Read what `save_decoder` wrote, in float32."""
    decoder = ShuffleDecoder(DecoderShape.of(json.loads((folder / "config.json").read_text(encoding="utf-8"))))
    decoder.load_state_dict({name: w.float() for name, w in load_file(folder / SAFETENSORS_WEIGHTS_NAME).items()})
    return decoder.eval().requires_grad_(False)
