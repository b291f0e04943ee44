"""Reads a checkpoint's scheduler into the description of a bundle's sampler."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler, LCMScheduler

from .config import expect, read_json


@dataclass(frozen=True)
class SchedulerPart:
    """What bundle.json says of the sampler, and how a model that was made for it is usually run."""

    description: dict[str, Any]
    steps: int
    guidance: float


@dataclass(frozen=True)
class _Kind:
    """One of diffusers' schedulers that the pipeline has a sampler for."""

    scheduler: type
    kind: str | None
    """As bundle.json has it: nothing for the one that was there before bundles could say."""
    fields: dict[str, str]
    """Where each field of the description stands in the configuration."""
    choices: dict[str, tuple[object, ...]]
    """What the sampler can do; other values are refused."""
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
        steps=20,
        guidance=4.5,
    ),
    # PixArt's transformer takes no guidance as an input: what was distilled holds it already.
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
        steps=4,
        guidance=1.0,
    ),
}
_ADVICE = "If the model can be sampled that way, save such a configuration in this place."


def load_scheduler(folder: Path) -> SchedulerPart:
    """Describes the sampler of `folder / scheduler`, the scheduler's defaults filled in.

    Raises `ExportError` naming the first setting that the pipeline's sampler does not honour.
    """
    where = folder / "scheduler" / "scheduler_config.json"
    raw = read_json(where)
    expect(where, "_class_name", raw.get("_class_name"), tuple(_KINDS), _ADVICE)
    kind = _KINDS[raw["_class_name"]]
    config = kind.scheduler.from_config(raw).config
    for name, choices in kind.choices.items():
        expect(where, name, config[name], choices, _ADVICE)
    return SchedulerPart(describe(raw["_class_name"], config), kind.steps, kind.guidance)


def describe(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """What bundle.json says of the sampler, from the complete configuration of one that is supported."""
    kind = _KINDS[class_name]
    description = {field: config[name] for field, name in kind.fields.items()}
    return description if kind.kind is None else {"kind": kind.kind, **description}
