import inspect
import re
from pathlib import Path
from typing import Any

import pytest
import torch
from damage import change_json
from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler, LCMScheduler

from export.errors import ExportError
from export.scheduler import load_scheduler
from export.scheduler_kinds import KINDS, SchedulerKind


def saved(folder: Path, scheduler: type, **settings: Any) -> Path:
    """A checkpoint folder with this scheduler and nothing else."""
    scheduler(**settings).save_pretrained(folder / "scheduler")
    return folder


def change(folder: Path, **settings: Any) -> Path:
    change_json(folder / "scheduler" / "scheduler_config.json", **settings)
    return folder


BETAS = {"trainSteps": 1000, "betaSchedule": "linear", "betaStart": 0.0001, "betaEnd": 0.02, "prediction": "epsilon"}


@pytest.mark.parametrize(
    ("scheduler", "expected", "steps", "guidance"),
    [
        (
            DPMSolverMultistepScheduler,
            {**BETAS, "spacing": "linspace", "zeroTerminalSnr": False, "order": 2},
            20,
            4.5,
        ),
        (EulerDiscreteScheduler, {"kind": "euler", **BETAS, "spacing": "linspace", "zeroTerminalSnr": False}, 20, 4.5),
        (LCMScheduler, {"kind": "lcm", **BETAS, "originalSteps": 50, "timestepScaling": 10.0}, 4, 1.0),
    ],
)
def test_describes_each_scheduler_and_its_usual_settings(
    tmp_path: Path, scheduler: type, expected: dict[str, Any], steps: int, guidance: float
) -> None:
    betas = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
    part = load_scheduler(saved(tmp_path, scheduler, **betas))
    assert (part.description, part.steps, part.guidance) == (expected, steps, guidance)
    assert list(part.description) == list(expected)


def test_fills_in_the_defaults_of_a_scheduler_that_was_converted_from_another(tmp_path: Path) -> None:
    config = DPMSolverMultistepScheduler(beta_schedule="linear", beta_end=0.02).config
    LCMScheduler.from_config(config).save_pretrained(tmp_path / "scheduler")
    description = load_scheduler(tmp_path).description
    assert (description["betaEnd"], description["originalSteps"]) == (0.02, 50)


@pytest.mark.parametrize(
    ("scheduler", "name", "value"),
    [
        (DPMSolverMultistepScheduler, "solver_order", 3),
        (DPMSolverMultistepScheduler, "solver_type", "heun"),
        (DPMSolverMultistepScheduler, "algorithm_type", "sde-dpmsolver++"),
        (DPMSolverMultistepScheduler, "algorithm_type", "dpmsolver"),
        (DPMSolverMultistepScheduler, "beta_schedule", "squaredcos_cap_v2"),
        (DPMSolverMultistepScheduler, "trained_betas", [0.1, 0.2]),
        (DPMSolverMultistepScheduler, "thresholding", True),
        (DPMSolverMultistepScheduler, "final_sigmas_type", "sigma_min"),
        (DPMSolverMultistepScheduler, "use_lu_lambdas", True),
        (DPMSolverMultistepScheduler, "use_exponential_sigmas", True),
        (DPMSolverMultistepScheduler, "use_beta_sigmas", True),
        (DPMSolverMultistepScheduler, "use_flow_sigmas", True),
        (DPMSolverMultistepScheduler, "use_dynamic_shifting", True),
        (DPMSolverMultistepScheduler, "variance_type", "learned_range"),
        (DPMSolverMultistepScheduler, "lambda_min_clipped", -5.0),
        (DPMSolverMultistepScheduler, "lambda_min_clipped", None),
        (DPMSolverMultistepScheduler, "num_train_timesteps", 1),
        (DPMSolverMultistepScheduler, "num_train_timesteps", "1000"),
        (DPMSolverMultistepScheduler, "beta_start", 0),
        (EulerDiscreteScheduler, "beta_end", 1.5),
        (LCMScheduler, "original_inference_steps", 0),
        (LCMScheduler, "original_inference_steps", "50"),
        (LCMScheduler, "original_inference_steps", 1001),
        (DPMSolverMultistepScheduler, "use_karras_sigmas", True),
        (DPMSolverMultistepScheduler, "prediction_type", "sample"),
        (DPMSolverMultistepScheduler, "timestep_spacing", "leading"),
        (EulerDiscreteScheduler, "timestep_spacing", "leading"),
        (EulerDiscreteScheduler, "use_karras_sigmas", True),
        (EulerDiscreteScheduler, "interpolation_type", "log_linear"),
        (EulerDiscreteScheduler, "timestep_type", "continuous"),
        (EulerDiscreteScheduler, "final_sigmas_type", "sigma_min"),
        (LCMScheduler, "prediction_type", "sample"),
        (LCMScheduler, "clip_sample", True),
        (LCMScheduler, "rescale_betas_zero_snr", True),
        (LCMScheduler, "beta_schedule", "squaredcos_cap_v2"),
    ],
)
def test_refuses_a_setting_that_the_sampler_does_not_have(
    tmp_path: Path, scheduler: type, name: str, value: object
) -> None:
    folder = change(saved(tmp_path, scheduler), **{name: value})
    with pytest.raises(
        ExportError,
        match=rf"scheduler_config\.json: {name} is {re.escape(repr(value))}.*save a supported scheduler's config",
    ):
        load_scheduler(folder)


def test_refuses_a_scheduler_without_a_sampler_and_names_those_with_one(tmp_path: Path) -> None:
    folder = change(saved(tmp_path, EulerDiscreteScheduler), _class_name="DDIMScheduler")
    with pytest.raises(ExportError, match=r"_class_name is 'DDIMScheduler'.*'EulerDiscreteScheduler'.*LCMScheduler"):
        load_scheduler(folder)


@pytest.mark.parametrize(
    ("scheduler", "most"),
    [(DPMSolverMultistepScheduler, 999), (EulerDiscreteScheduler, 1000), (LCMScheduler, 50)],
)
def test_refuses_more_steps_than_the_sampler_supports(tmp_path: Path, scheduler: type, most: int) -> None:
    part = load_scheduler(saved(tmp_path, scheduler, beta_schedule="linear"))
    part.check_steps(most)
    with pytest.raises(ExportError, match=f"--steps: expected 1 to {most}, .*found {most + 1}"):
        part.check_steps(most + 1)


def test_a_model_distilled_at_fewer_steps_than_usual_defaults_to_those(tmp_path: Path) -> None:
    part = load_scheduler(saved(tmp_path, LCMScheduler, beta_schedule="linear", original_inference_steps=2))
    assert part.steps == 2


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_field_of_diffusers_is_honoured_refused_or_without_effect(
    kind: SchedulerKind,
) -> None:
    assert kind.rules.known == inspect.signature(kind.scheduler.__init__).parameters.keys() - {"self"}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_refuses_a_field_that_no_scheduler_of_diffusers_has(tmp_path: Path, kind: SchedulerKind) -> None:
    folder = change(saved(tmp_path, kind.scheduler, beta_schedule="linear"), use_better_sigmas=True)
    with pytest.raises(ExportError, match="use_better_sigmas is True; this exporter does not know that field"):
        load_scheduler(folder)


def test_ignores_fields_that_diffusers_keeps_from_a_previous_scheduler(tmp_path: Path) -> None:
    load_scheduler(
        change(saved(tmp_path, EulerDiscreteScheduler), skip_prk_steps=True, clip_sample=True, solver_order=3)
    )


def test_a_note_says_if_the_pipelines_index_names_another_scheduler(copied: Path) -> None:
    EulerDiscreteScheduler(beta_schedule="linear").save_pretrained(copied / "scheduler")
    (note,) = load_scheduler(copied).notes
    assert "EulerDiscreteScheduler, from its own folder; model_index.json says DPMSolverMultistepScheduler" in note


def drawn(scheduler: Any, steps: int) -> torch.Tensor:
    """The latents after every step, from predictions that depend on the latents."""
    scheduler.set_timesteps(steps)
    generator = torch.Generator().manual_seed(1)
    latents = torch.randn(1, 4, 3, 3, generator=generator) * scheduler.init_noise_sigma
    after = [latents]
    for timestep in scheduler.timesteps:
        prediction = torch.sin(scheduler.scale_model_input(after[-1], timestep) * 3)
        after.append(scheduler.step(prediction, timestep, after[-1], generator=generator).prev_sample)
    return torch.stack(after)


SAME_PICTURES: list[tuple[type, dict[str, Any]]] = [
    (DPMSolverMultistepScheduler, {"lower_order_final": False}),
    (DPMSolverMultistepScheduler, {"euler_at_final": True}),
    (DPMSolverMultistepScheduler, {"lower_order_final": False, "euler_at_final": True, "solver_order": 1}),
    (DPMSolverMultistepScheduler, {"steps_offset": 1}),
    (DPMSolverMultistepScheduler, {"steps_offset": 1, "timestep_spacing": "trailing"}),
    (DPMSolverMultistepScheduler, {"flow_shift": 3.0, "time_shift_type": "linear"}),
    (DPMSolverMultistepScheduler, {"dynamic_thresholding_ratio": 0.5, "sample_max_value": 0.1}),
    (DPMSolverMultistepScheduler, {"lambda_min_clipped": -5.1}),
    (EulerDiscreteScheduler, {"steps_offset": 1, "sigma_min": 0.1, "sigma_max": 5.0}),
    (LCMScheduler, {"clip_sample_range": 0.1, "set_alpha_to_one": False, "steps_offset": 1}),
    (LCMScheduler, {"dynamic_thresholding_ratio": 0.5, "sample_max_value": 0.1, "timestep_spacing": "trailing"}),
]


@pytest.mark.parametrize(("scheduler", "settings"), SAME_PICTURES)
def test_accepts_values_that_change_nothing_in_diffusers(
    tmp_path: Path, scheduler: type, settings: dict[str, Any]
) -> None:
    betas = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
    described = {n: v for n, v in settings.items() if n in KINDS[scheduler.__name__].fields.values()}
    plain, other = betas | described, betas | settings
    for steps in (1, 2, 3, 5, 14, 15, 20, 33):
        assert torch.equal(drawn(scheduler(**plain), steps), drawn(scheduler(**other), steps))
    found = load_scheduler(saved(tmp_path / "other", scheduler, **other))
    assert found == load_scheduler(saved(tmp_path / "plain", scheduler, **plain))


def test_lower_order_final_does_change_images_if_the_last_sigma_is_not_zero() -> None:
    kept = {"final_sigmas_type": "sigma_min", "beta_schedule": "linear"}
    both = (drawn(DPMSolverMultistepScheduler(lower_order_final=lower, **kept), 5) for lower in (True, False))
    assert not torch.equal(*both)


def test_timesteps_dropped_by_lambda_min_clipped_change_images() -> None:
    both = (drawn(DPMSolverMultistepScheduler(lambda_min_clipped=least), 5) for least in (-float("inf"), -5.0))
    assert not torch.equal(*both)
