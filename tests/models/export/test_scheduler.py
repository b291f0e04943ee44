import json
from pathlib import Path
from typing import Any

import pytest
from diffusers import DPMSolverMultistepScheduler, EulerDiscreteScheduler, LCMScheduler

from export.errors import ExportError
from export.scheduler import load_scheduler


def saved(folder: Path, scheduler: type, **settings: Any) -> Path:
    """A checkpoint's folder that holds this scheduler and nothing else."""
    scheduler(**settings).save_pretrained(folder / "scheduler")
    return folder


def change(folder: Path, **settings: Any) -> Path:
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | settings), encoding="utf-8")
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
def test_describes_each_scheduler_and_how_it_is_usually_run(
    tmp_path: Path, scheduler: type, expected: dict[str, Any], steps: int, guidance: float
) -> None:
    betas = {"beta_schedule": "linear", "beta_start": 0.0001, "beta_end": 0.02}
    part = load_scheduler(saved(tmp_path, scheduler, **betas))
    assert (part.description, part.steps, part.guidance) == (expected, steps, guidance)
    assert list(part.description) == list(expected)


def test_fills_in_the_defaults_of_a_scheduler_that_was_taken_over_from_another(tmp_path: Path) -> None:
    config = DPMSolverMultistepScheduler(beta_schedule="linear", beta_end=0.02).config
    LCMScheduler.from_config(config).save_pretrained(tmp_path / "scheduler")
    description = load_scheduler(tmp_path).description
    assert (description["betaEnd"], description["originalSteps"]) == (0.02, 50)


@pytest.mark.parametrize(
    ("scheduler", "name", "value"),
    [
        (DPMSolverMultistepScheduler, "solver_order", 3),
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
        match=f"scheduler_config.json: {name} is {value!r}.*save a supported scheduler's configuration here",
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
def test_refuses_more_steps_than_the_sampler_takes(tmp_path: Path, scheduler: type, most: int) -> None:
    part = load_scheduler(saved(tmp_path, scheduler, beta_schedule="linear"))
    part.check_steps(most)
    with pytest.raises(ExportError, match=f"--steps: expected 1 to {most}, .*found {most + 1}"):
        part.check_steps(most + 1)


def test_a_model_distilled_at_fewer_steps_than_usual_is_run_with_those(tmp_path: Path) -> None:
    part = load_scheduler(saved(tmp_path, LCMScheduler, beta_schedule="linear", original_inference_steps=2))
    assert part.steps == 2
