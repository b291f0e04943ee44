"""The diffusers schedulers for which the pipeline has a sampler, and how each of their fields is handled."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler, LCMScheduler

from .config import Rules


@dataclass(frozen=True)
class SchedulerKind:
    """One of diffusers' schedulers, and the equivalent sampler."""

    scheduler: type
    kind: str | None
    """The kind in bundle.json: None for the sampler that bundles had before they could name one."""
    fields: dict[str, str]
    """The configuration's name for each field of the description."""
    choices: dict[str, tuple[object, ...]]
    without_effect: frozenset[str]
    most_steps: Callable[[dict[str, Any]], int]
    """The sampler's maximum number of steps, from the description."""
    steps: int
    guidance: float
    clips: bool = False
    """Whether `lambda_min_clipped` may drop the noisiest timesteps."""

    @property
    def rules(self) -> Rules:
        used = {*self.fields.values(), *({"lambda_min_clipped"} if self.clips else ())}
        return Rules(frozenset(used), self.choices, self.without_effect)


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

KINDS = {
    "DPMSolverMultistepScheduler": SchedulerKind(
        DPMSolverMultistepScheduler,
        kind=None,
        fields={**_BETA_FIELDS, **_SPACING_FIELDS, "order": "solver_order"},
        choices={
            **_BETA_CHOICES,
            **_SPACING_CHOICES,
            "algorithm_type": ("dpmsolver++",),
            "solver_type": ("midpoint",),
            "solver_order": (1, 2),
            "thresholding": (False,),
            "use_lu_lambdas": (False,),
            "use_flow_sigmas": (False,),
            "use_dynamic_shifting": (False,),
            "variance_type": (None,),
        },
        # With a last sigma of zero the last step is always of first order, and the one before it of second. The others
        # belong to thresholding, flow sigmas and leading timesteps.
        without_effect=frozenset(
            {
                "lower_order_final",
                "euler_at_final",
                "dynamic_thresholding_ratio",
                "sample_max_value",
                "flow_shift",
                "time_shift_type",
                "steps_offset",
            }
        ),
        most_steps=lambda description: description["trainSteps"] - 1,
        steps=20,
        guidance=4.5,
        clips=True,
    ),
    "EulerDiscreteScheduler": SchedulerKind(
        EulerDiscreteScheduler,
        kind="euler",
        fields={**_BETA_FIELDS, **_SPACING_FIELDS},
        choices={
            **_BETA_CHOICES,
            **_SPACING_CHOICES,
            "interpolation_type": ("linear",),
            "timestep_type": ("discrete",),
        },
        # They belong to Karras's and exponential sigmas and to leading timesteps.
        without_effect=frozenset({"sigma_min", "sigma_max", "steps_offset"}),
        most_steps=lambda description: description["trainSteps"],
        steps=20,
        guidance=4.5,
    ),
    # PixArt's transformer has no input for guidance: in a distilled one it is built in.
    "LCMScheduler": SchedulerKind(
        LCMScheduler,
        kind="lcm",
        fields={**_BETA_FIELDS, "originalSteps": "original_inference_steps", "timestepScaling": "timestep_scaling"},
        choices={
            **_BETA_CHOICES,
            "rescale_betas_zero_snr": (False,),
            "clip_sample": (False,),
            "thresholding": (False,),
        },
        # They belong to clipping and thresholding. The timesteps are those of the distillation, whatever the spacing,
        # and none comes before the first, whose alpha would matter.
        without_effect=frozenset(
            {
                "clip_sample_range",
                "dynamic_thresholding_ratio",
                "sample_max_value",
                "set_alpha_to_one",
                "steps_offset",
                "timestep_spacing",
            }
        ),
        most_steps=lambda description: description["originalSteps"],
        steps=4,
        guidance=1.0,
    ),
}
