"""Reads a checkpoint's scheduler into the description of a bundle's sampler."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler, LCMScheduler

from .config import expect, read_json
from .errors import ExportError


@dataclass(frozen=True)
class SchedulerPart:
    """What bundle.json says of the sampler, and how a model that was made for it is usually run."""

    description: dict[str, Any]
    steps: int
    guidance: float
    most_steps: int

    def check_steps(self, asked: int | None) -> None:
        """Raises `ExportError` for steps that the sampler cannot take."""
        if asked is not None and not 1 <= asked <= self.most_steps:
            raise ExportError(f"--steps: expected 1 to {self.most_steps}, which the sampler takes; found {asked}.")


@dataclass(frozen=True)
class _Kind:
    """One of diffusers' schedulers that the pipeline has a sampler for."""

    scheduler: type
    kind: str | None
    """As bundle.json has it: None for the one that bundles had before they could name one."""
    fields: dict[str, str]
    """The configuration's name for each field of the description."""
    choices: dict[str, tuple[object, ...]]
    """The values that the sampler supports; others are refused."""
    most_steps: Callable[[dict[str, Any]], int]
    """From the description: the most that the sampler takes."""
    steps: int
    guidance: float


_BETA_FIELDS = {
    "trainSteps": "num_train_timesteps",
    "betaSchedule": "beta_schedule",
    "betaStart": "beta_start",
    "betaEnd": "beta_end",
    "prediction": "prediction_type",
}
_SPACING_FIELDS = {"spacing": "timestep_spacing", "zeroTerminalSnr": "rescale_betas_zero_snr"}
_BETA_CHOICES = {
    "beta_schedule": ("linear", "scaled_linear"),
    "prediction_type": ("epsilon", "v_prediction"),
    "trained_betas": (None,),
}
_SPACING_CHOICES = {
    "timestep_spacing": ("linspace", "trailing"),
    "final_sigmas_type": ("zero",),
    "use_karras_sigmas": (False,),
    "use_exponential_sigmas": (False,),
    "use_beta_sigmas": (False,),
}
_KINDS = {
    "DPMSolverMultistepScheduler": _Kind(
        DPMSolverMultistepScheduler,
        kind=None,
        fields={**_BETA_FIELDS, **_SPACING_FIELDS, "order": "solver_order"},
        choices={
            **_BETA_CHOICES,
            **_SPACING_CHOICES,
            "algorithm_type": ("dpmsolver++",),
            "solver_type": ("midpoint",),
            "solver_order": (1, 2),
            "lower_order_final": (True,),
            "euler_at_final": (False,),
            "thresholding": (False,),
            "use_lu_lambdas": (False,),
            "use_flow_sigmas": (False,),
            "steps_offset": (0,),
        },
        most_steps=lambda description: description["trainSteps"] - 1,
        steps=20,
        guidance=4.5,
    ),
    "EulerDiscreteScheduler": _Kind(
        EulerDiscreteScheduler,
        kind="euler",
        fields={**_BETA_FIELDS, **_SPACING_FIELDS},
        choices={
            **_BETA_CHOICES,
            **_SPACING_CHOICES,
            "interpolation_type": ("linear",),
            "timestep_type": ("discrete",),
        },
        most_steps=lambda description: description["trainSteps"],
        steps=20,
        guidance=4.5,
    ),
    # PixArt's transformer takes no guidance as an input: a distilled one has it built in.
    "LCMScheduler": _Kind(
        LCMScheduler,
        kind="lcm",
        fields={**_BETA_FIELDS, "originalSteps": "original_inference_steps", "timestepScaling": "timestep_scaling"},
        choices={
            **_BETA_CHOICES,
            "rescale_betas_zero_snr": (False,),
            "clip_sample": (False,),
            "thresholding": (False,),
        },
        most_steps=lambda description: description["originalSteps"],
        steps=4,
        guidance=1.0,
    ),
}
_ADVICE = "If the model can be sampled with one of these, save a supported scheduler's configuration here."


def load_scheduler(folder: Path) -> SchedulerPart:
    """Describes the sampler of `folder / scheduler`, the scheduler's defaults filled in.

    Raises `ExportError` naming the first setting that the pipeline does not support.
    """
    where = folder / "scheduler" / "scheduler_config.json"
    raw = read_json(where)
    expect(where, "_class_name", raw.get("_class_name"), tuple(_KINDS), _ADVICE)
    kind = _KINDS[raw["_class_name"]]
    config = kind.scheduler.from_config(raw).config
    for name, choices in kind.choices.items():
        expect(where, name, config[name], choices, _ADVICE)
    description = describe(raw["_class_name"], config)
    most_steps = kind.most_steps(description)
    return SchedulerPart(description, min(kind.steps, most_steps), kind.guidance, most_steps)


def describe(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """What bundle.json says of the sampler, from the complete configuration of a supported scheduler."""
    kind = _KINDS[class_name]
    description = {field: config[name] for field, name in kind.fields.items()}
    return description if kind.kind is None else {"kind": kind.kind, **description}
