"""The peer of benchmarks/gpu.ts: diffusers and transformers with random weights of real size.

`python3 peer.py --device cuda:0`; prints a line of JSON when it is ready, and one for each task that it reads. It ends
with the first task that fails, and answers why.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from typing import Any

import diffusers
import torch
from diffusers import PixArtSigmaPipeline
from peer_models import TOY, XL, Networks, pipeline_for, text_encoder_for
from torch import Tensor

CAPTION_TOKENS, PADDED_TOKENS = 30, 300
"""A usual prompt, and the length to which the pipeline pads it; the padding is masked."""
GUIDANCE = 4.5
LARGE_SIDE = 2048
"""Larger images are decoded in tiles: in one piece they run out of memory."""


class Peer:
    """Carries out tasks, and keeps the networks that it used last."""

    def __init__(self, networks: Networks, device: str):
        self.networks, self.device = networks, device
        # Processors compute float16 far more slowly than float32.
        self.half, self.brain = (torch.float16, torch.bfloat16) if device != "cpu" else (torch.float32, torch.float32)
        self.kept: dict[object, Any] = {}

    def answer(self, task: dict[str, Any]) -> dict[str, Any]:
        if self.device != "cpu":
            torch.cuda.reset_peak_memory_stats()
        measured = self._draw(task) if task["kind"] == "diffusers" else self._encode(task["tokens"])
        if self.device != "cpu":
            measured["memoryBytes"] = torch.cuda.max_memory_reserved()
        return measured

    def _draw(self, task: dict[str, Any]) -> dict[str, Any]:
        sample_size, is_compiled = task["sampleSize"], task["isCompiled"]
        pipeline = self._kept(("pipeline", sample_size, is_compiled), lambda: self._pipeline(sample_size, is_compiled))
        height, width, images = task["bin"]["height"], task["bin"]["width"], task["images"]
        if max(height, width) > LARGE_SIDE:
            pipeline.vae.enable_tiling()
        states = torch.randn(
            images, PADDED_TOKENS, self.networks.text_encoder["d_model"], device=self.device, dtype=self.half
        )
        mask = (torch.arange(PADDED_TOKENS, device=self.device) < CAPTION_TOKENS).long().repeat(images, 1)
        began = self._now()
        latents = pipeline(
            prompt_embeds=states,
            prompt_attention_mask=mask,
            negative_prompt=None,
            negative_prompt_embeds=states,
            negative_prompt_attention_mask=mask,
            height=height,
            width=width,
            num_inference_steps=task["steps"],
            guidance_scale=GUIDANCE,
            output_type="latent",
            use_resolution_binning=False,
        ).images
        denoised = self._now()
        pixels = self._pixels(pipeline, latents)
        ended = self._now()
        return {
            "seconds": ended - began,
            "images": images,
            "together": images,
            **({"denoiseSeconds": denoised - began, "decodeSeconds": ended - denoised} if images == 1 else {}),
            "isFinite": bool(pixels.isfinite().all()),
        }

    def _pixels(self, pipeline: PixArtSigmaPipeline, latents: Tensor) -> Tensor:
        """As at the pipeline's end, but for the conversion to bytes, which happens on the device."""
        vae = pipeline.vae
        pixels = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
        bytes_ = (pixels / 2 + 0.5).clamp(0, 1).mul(255).round().to(torch.uint8)
        bytes_.permute(0, 2, 3, 1).cpu()
        return pixels

    def _pipeline(self, sample_size: int, is_compiled: bool) -> PixArtSigmaPipeline:
        pipeline = pipeline_for(self.networks, sample_size, self.device, self.half)
        if is_compiled:
            for network in (pipeline.transformer, pipeline.vae):
                network.to(memory_format=torch.channels_last)
            pipeline.transformer = self._compiled(pipeline.transformer)
            pipeline.vae.decode = self._compiled(pipeline.vae.decode)
        return pipeline

    def _compiled(self, function: Callable) -> Callable:
        """As diffusers' documentation recommends; on a processor only traced, since compiling C++ takes minutes."""
        if self.device == "cpu":
            return torch.compile(function, backend="eager", fullgraph=True)
        return torch.compile(function, mode="reduce-overhead", fullgraph=True)

    @torch.inference_mode()
    def _encode(self, tokens: int) -> dict[str, Any]:
        encoder = self._kept("text", lambda: text_encoder_for(self.networks, self.device, self.brain))
        # Padded as in the pipeline, which would also encode the negative prompt each time.
        ids = torch.randint(self.networks.text_encoder["vocab_size"], (1, PADDED_TOKENS), device=self.device)
        mask = (torch.arange(PADDED_TOKENS, device=self.device) < tokens).long()[None]
        began = self._now()
        states = encoder(ids, attention_mask=mask).last_hidden_state
        return {"seconds": self._now() - began, "images": 1, "isFinite": bool(states.isfinite().all())}

    def _kept(self, key: object, make: Callable[[], Any]) -> Any:
        if key not in self.kept:
            # Only one at a time, so that the device has room for the product beside it.
            self.kept.clear()
            # Otherwise torch takes the next pipeline's sizes for variable ones, and compiles slower kernels.
            torch.compiler.reset()
            if self.device != "cpu":
                torch.cuda.empty_cache()
            self.kept[key] = make()
        return self.kept[key]

    def _now(self) -> float:
        if self.device != "cpu":
            torch.cuda.synchronize()
        return time.perf_counter()


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="peer.py", description=__doc__)
    parser.add_argument("--device", required=True)
    parser.add_argument("--toy", action="store_true", help="tiny networks")
    options = parser.parse_args(arguments)
    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
    torch.manual_seed(0)
    peer = Peer(TOY if options.toy else XL, options.device)
    tell({})
    for line in sys.stdin:
        try:
            tell(peer.answer(json.loads(line)))
        except Exception as error:
            first, *_ = [*str(error).splitlines(), ""]
            tell({"error": f"{type(error).__name__}: {first}"})
            raise


def tell(line: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1:])
