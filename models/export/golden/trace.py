"""Runs diffusers' PixArt-Σ or PixArt-α pipeline on one case and records every stage's results."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline
from torch import Tensor

from ..reference import position_embedding
from ..transformer_part import open_transformer

NOTED_CALL = 1
"""The recorded transformer call: the second, whose latents are no longer pure noise."""


@dataclass(frozen=True)
class Case:
    """The inputs of one run, in the reference's terms."""

    name: str
    bundle: str
    prompt: str
    height: int
    width: int
    seed: int
    steps: int
    guidance: float = 4.5
    negative_prompt: str = ""
    binning: bool = False


@dataclass(frozen=True)
class Trace:
    """The stages' results; `texts` holds ids and mask of the prompt and, with guidance, the negative prompt."""

    texts: list[dict[str, list[int]]]
    timesteps: list[float]
    call_index: int
    tensors: dict[str, np.ndarray]


class Recorder:
    """Records the arguments and results of the pipeline's parts while it runs."""

    def __init__(self, pipeline: DiffusionPipeline):
        self.texts: list[tuple[Tensor, Tensor, Tensor]] = []
        self.calls: list[tuple[dict[str, Tensor], Tensor]] = []
        self.steps: list[tuple[Any, Tensor, Tensor]] = []
        self.decoded: Tensor | None = None
        pipeline.text_encoder.register_forward_hook(self._text, with_kwargs=True)
        self._wrap(pipeline.transformer, "forward", self._call)
        self._wrap(pipeline.scheduler, "step", self._step)
        self._wrap(pipeline.vae, "decode", self._decode)

    def _wrap(self, part: Any, method: str, note: Any) -> None:
        original = getattr(part, method)

        # The pipeline inspects the signature of `step` to see whether it accepts a generator.
        @wraps(original)
        def noted(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            note(args, kwargs, result[0])
            return result

        setattr(part, method, noted)

    def _text(self, _: Any, args: Any, kwargs: Any, result: Any) -> None:
        self.texts.append((args[0], kwargs["attention_mask"], result[0]))

    def _call(self, args: Any, kwargs: Any, result: Tensor) -> None:
        self.calls.append(({"latents": args[0], **kwargs}, result))

    def _step(self, args: Any, _: Any, result: Tensor) -> None:
        self.steps.append((args[1], args[2], result))

    def _decode(self, _: Any, __: Any, result: Tensor) -> None:
        self.decoded = result


def load_pipeline(folder: Path) -> DiffusionPipeline:
    """The reference pipeline of a checkpoint; with KV compression, which it lacks, our transformer replaces its own."""
    pipeline = DiffusionPipeline.from_pretrained(folder, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    transformer = open_transformer(folder).load()
    if transformer.shape.kv_compression is not None:

        def predict(latents: Tensor, timestep: Tensor, text_states: Tensor, mask: Tensor) -> Tensor:
            position = position_embedding(pipeline.transformer, latents)
            caption = transformer.caption_projection(text_states)
            return transformer(latents, timestep.float(), position, caption, mask)

        replace_prediction(pipeline, predict)
    return pipeline


def replace_prediction(
    pipeline: DiffusionPipeline, predict: Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
) -> None:
    """Replaces the reference's transformer by `predict(latents, timestep, text states, mask)`."""

    def forward(latents: Tensor, **call: Any) -> tuple[Tensor]:
        states, mask = call["encoder_hidden_states"], call["encoder_attention_mask"]
        return (predict(latents, call["timestep"], states, mask),)

    pipeline.transformer.forward = forward


@torch.no_grad()
def trace(pipeline: DiffusionPipeline, case: Case, max_tokens: int) -> Trace:
    """Runs `case` on a reference pipeline, which cannot be used for anything else afterwards."""
    recorder = Recorder(pipeline)
    image = pipeline(
        case.prompt,
        negative_prompt=case.negative_prompt,
        height=case.height,
        width=case.width,
        num_inference_steps=case.steps,
        guidance_scale=case.guidance,
        generator=torch.Generator("cpu").manual_seed(case.seed),
        max_sequence_length=max_tokens,
        use_resolution_binning=case.binning,
        output_type="np",
    ).images
    noted = min(NOTED_CALL, len(recorder.calls) - 1)
    tensors = {
        "noise": recorder.steps[0][1] / pipeline.scheduler.init_noise_sigma,
        "positionEmbedding": position_embedding(pipeline.transformer, recorder.steps[0][1]),
        **_text_tensors(recorder),
        **_call_tensors(pipeline, *recorder.calls[noted]),
        "latents": torch.cat([latents for _, _, latents in recorder.steps]),
        "decoded": recorder.decoded,
    }
    arrays = {name: tensor.float().numpy() for name, tensor in tensors.items()}
    arrays["image"] = (image[0] * 255).round().astype(np.uint8)
    return Trace(
        texts=[{"ids": ids[0].tolist(), "mask": mask[0].tolist()} for ids, mask, _ in recorder.texts],
        timesteps=[timestep.item() for timestep, _, _ in recorder.steps],
        call_index=noted,
        tensors=arrays,
    )


def _text_tensors(recorder: Recorder) -> dict[str, Tensor]:
    names = ("textStates", "negativeTextStates")
    return {name: states for name, (_, _, states) in zip(names, recorder.texts, strict=False)}


def _call_tensors(pipeline: DiffusionPipeline, inputs: dict[str, Tensor], output: Tensor) -> dict[str, Tensor]:
    channels = pipeline.transformer.config.in_channels
    return {
        "call.latents": inputs["latents"],
        "call.timestep": inputs["timestep"],
        "call.caption": pipeline.transformer.caption_projection(inputs["encoder_hidden_states"]),
        "call.captionMask": inputs["encoder_attention_mask"],
        "call.prediction": output[:, :channels],
    }
