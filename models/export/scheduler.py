"""Reads a checkpoint's scheduler into the description of a bundle's sampler."""

import inspect
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers.schedulers import KarrasDiffusionSchedulers

from .config import check_fields, expect, read_json, with_defaults
from .errors import ExportError
from .model_index import FILE as MODEL_INDEX
from .scheduler_kinds import KINDS, SchedulerKind

_ADVICE = "If the model can be sampled with one of these, save a supported scheduler's configuration here."

MOST_TRAIN_STEPS = 1_000_000
"""Far above any real schedule, and still quick to compute."""


@dataclass(frozen=True)
class SchedulerPart:
    """The sampler's entry in bundle.json, and the usual settings of a model that was made for it."""

    description: dict[str, Any]
    steps: int
    guidance: float
    most_steps: int
    notes: tuple[str, ...] = ()

    def check_steps(self, asked: int | None) -> None:
        """Raises `ExportError` for a number of steps that the sampler does not support."""
        if asked is not None and not 1 <= asked <= self.most_steps:
            raise ExportError(f"--steps: expected 1 to {self.most_steps}, the sampler's range; found {asked}.")


def load_scheduler(folder: Path) -> SchedulerPart:
    """Describes the sampler of `folder / scheduler`, with the scheduler's defaults for missing fields.

    Raises `ExportError` naming the first setting that the pipeline does not support.
    """
    where = folder / "scheduler" / "scheduler_config.json"
    raw = read_json(where)
    name = raw.get("_class_name")
    expect(where, "_class_name", name, tuple(KINDS), _ADVICE)
    kind = KINDS[name]
    config = with_defaults(kind.scheduler, raw)
    rules = kind.rules
    # diffusers keeps the fields of the scheduler that a configuration was converted from, and ignores them too.
    taken_over = _fields_of_others() - rules.known
    check_fields(where, config, replace(rules, without_effect=rules.without_effect | taken_over), _ADVICE)
    _check_numbers(where, kind, config)
    if kind.clips:
        _check_clipping(where, kind, config)
    description = describe(name, config)
    most_steps = kind.most_steps(description)
    notes = _notes(folder, name)
    return SchedulerPart(description, min(kind.steps, most_steps), kind.guidance, most_steps, notes)


def describe(class_name: str, config: dict[str, Any]) -> dict[str, Any]:
    """The sampler's entry in bundle.json, from the complete configuration of a supported scheduler."""
    kind = KINDS[class_name]
    description = {field: config[name] for field, name in kind.fields.items()}
    return description if kind.kind is None else {"kind": kind.kind, **description}


@cache
def _fields_of_others() -> frozenset[str]:
    """Every field of diffusers' schedulers, including those without a sampler here."""
    classes = [kind.scheduler for kind in KINDS.values()]
    classes += [getattr(diffusers, each.name) for each in KarrasDiffusionSchedulers]
    return frozenset(name for each in classes for name in inspect.signature(each.__init__).parameters)


def _check_numbers(where: Path, kind: SchedulerKind, config: dict[str, Any]) -> None:
    steps = config["num_train_timesteps"]
    if type(steps) is not int or not 2 <= steps <= MOST_TRAIN_STEPS:
        raise ExportError(f"{where}: num_train_timesteps is {steps!r}; expected 2 to {MOST_TRAIN_STEPS}. {_ADVICE}")
    original = config["original_inference_steps"] if "originalSteps" in kind.fields else 1
    if type(original) is not int or not 1 <= original <= steps:
        raise ExportError(f"{where}: original_inference_steps is {original!r}; expected 1 to {steps}. {_ADVICE}")
    for name in ("beta_start", "beta_end"):
        if type(config[name]) not in (int, float) or not 0 < config[name] < 1:
            raise ExportError(f"{where}: {name} is {config[name]!r}; expected a number between 0 and 1. {_ADVICE}")


def _check_clipping(where: Path, kind: SchedulerKind, config: dict[str, Any]) -> None:
    """Checks half the log signal-to-noise ratio below which timesteps are dropped: none may be.

    Source: diffusers 0.42, schedulers/scheduling_dpmsolver_multistep.py, `set_timesteps`.
    """
    clipped = config["lambda_min_clipped"]
    try:
        least = torch.tensor(float(clipped))
    except (TypeError, ValueError):
        raise ExportError(f"{where}: lambda_min_clipped is {clipped!r}; expected a number. {_ADVICE}") from None
    names = ("num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "rescale_betas_zero_snr")
    lowest = kind.scheduler(**{name: config[name] for name in names}).lambda_t.min()
    if not least <= lowest:
        raise ExportError(
            f"{where}: lambda_min_clipped is {clipped!r} and drops the noisiest timesteps, which a bundle does not. "
            f"Values up to {lowest:.4f} change nothing. {_ADVICE}"
        )


def _notes(folder: Path, name: str) -> tuple[str, ...]:
    index = folder / MODEL_INDEX
    entry = read_json(index).get("scheduler") if index.is_file() else None
    other = entry[1] if isinstance(entry, list) and len(entry) == 2 else None
    if other in (None, name):
        return ()
    return (f"scheduler: {name}, from its own folder; {MODEL_INDEX} says {other}, which diffusers would use",)
