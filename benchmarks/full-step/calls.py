"""The inputs that prepare.py wrote, and how the peers' scripts time calls and say what they took."""

import json
import resource
import sys
import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import numpy as np


def read_inputs(folder: Path, size: int) -> dict[str, np.ndarray]:
    """The arrays of one call by name, float32."""
    entries = json.loads((folder / str(size) / "call.json").read_text(encoding="utf-8"))["tensors"]
    values = np.fromfile(folder / str(size) / "tensors.bin", dtype="<f4")
    return {
        name: values[entry["offset"] // 4 :][: np.prod(entry["shape"])].reshape(entry["shape"])
        for name, entry in entries.items()
    }


def report(what: str, version: str, options: Namespace, call: Callable[[], np.ndarray]) -> np.ndarray:
    """Makes one call that does not count, then `options.runs` that do; prints JSON. Returns the last output."""
    output = call()
    processor, wall = [], []
    for _ in range(options.runs):
        started, used = time.perf_counter(), time.process_time()
        output = call()
        processor.append(round(time.process_time() - used, 4))
        wall.append(round(time.perf_counter() - started, 4))
    line = {
        "what": what,
        "size": options.size,
        "threads": options.threads,
        "processorSeconds": processor,
        "wallSeconds": wall,
        "peakMemoryMb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "version": version,
    }
    sys.stdout.write(json.dumps(line) + "\n")
    sys.stdout.flush()
    return output
