"""Shared by the peers' scripts: reads the inputs that prepare.py wrote, and times calls, alone or in turn."""

import argparse
import json
import resource
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np


def parse_options(name: str, description: str | None, *choices: str) -> Namespace:
    """The options of all peers; `choices` are the kinds of arithmetic."""
    parser = argparse.ArgumentParser(prog=name, description=description)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--in-turn", action="store_true", help="make one call for each line of standard input")
    parser.add_argument("--first", type=int, help="size of the first call, a warm-up; default: --size")
    parser.add_argument("--kind", choices=choices, default=choices[0])
    return parser.parse_args()


def read_inputs(folder: Path, size: int) -> dict[str, np.ndarray]:
    """The arrays of one call by name, float32."""
    entries = json.loads((folder / str(size) / "call.json").read_text(encoding="utf-8"))["tensors"]
    values = np.fromfile(folder / str(size) / "tensors.bin", dtype="<f4")
    return {
        name: values[entry["offset"] // 4 :][: np.prod(entry["shape"])].reshape(entry["shape"])
        for name, entry in entries.items()
    }


def report(what: str, version: str, options: Namespace, call: Callable[[int, float], np.ndarray]) -> None:
    """Times `call(size, timestep)` and prints JSON lines: one after the warm-up call, then one for each call."""
    first = options.first or options.size
    errors = errors_of(options.folder, first, call)
    if not errors:
        call(first, TIMESTEP)
    answer({"what": what, "version": version, "errors": errors, "peakMemoryMb": peak_memory()})
    for _ in turns(options):
        started, used = time.perf_counter(), time.process_time()
        call(options.size, TIMESTEP)
        seconds = time.process_time() - used
        answer({"processorSeconds": seconds, "wallSeconds": time.perf_counter() - started})


TIMESTEP = 749.0


def turns(options: Namespace) -> Iterator[object]:
    return iter(sys.stdin) if options.in_turn else iter(range(options.runs))


def errors_of(folder: Path, size: int, call: Callable[[int, float], np.ndarray]) -> list[float]:
    """Relative errors (root mean squares) against diffusers in float32, at the timesteps kept for the size."""
    file = folder / str(size) / "expected.json"
    if not file.exists():
        return []
    errors = []
    for timestep in json.loads(file.read_text(encoding="utf-8")):
        expected = np.fromfile(folder / str(size) / f"expected-{timestep}.bin", dtype="<f4")
        found = call(size, float(timestep)).ravel()
        errors.append(float(np.linalg.norm(found - expected) / np.linalg.norm(expected)))
    return errors


def peak_memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def answer(line: dict[str, object]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
