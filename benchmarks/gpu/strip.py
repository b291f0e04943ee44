"""A bundle without its weights: `models/python.sh benchmarks/gpu/strip.py BUNDLE TARGET`.

Graphs are small; what they read from other files is replaced by weights.json, which says where each tensor is and how
its numbers are spread. weights.ts makes such files again on the machine that they are measured on.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
from onnx import TensorProto
from onnx.external_data_helper import ExternalDataInfo, uses_external_data

TYPES = {
    TensorProto.FLOAT: np.dtype(np.float32),
    TensorProto.FLOAT16: np.dtype(np.float16),
    TensorProto.BFLOAT16: np.dtype(ml_dtypes.bfloat16),
}
RECIPE_FILE = "weights.json"
LOOKED_AT = 2**20
"""How many numbers of a tensor its mean and deviation are estimated from, at regular intervals."""

NEARLY_ZERO = 0.05

Recipe = dict[str, dict[int, dict[str, object]]]


def main(arguments: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="strip.py", description=__doc__)
    parser.add_argument("bundle", type=Path)
    parser.add_argument("target", type=Path, help="must not exist yet")
    options = parser.parse_args(arguments)
    strip(options.bundle, options.target)


def strip(bundle: Path, target: Path) -> None:
    """Copies the bundle without its weights. Raises `ValueError` for weights that are no floats."""
    recipe: Recipe = {}
    for graph in sorted(bundle.glob("*.onnx")):
        for tensor in onnx.load(graph, load_external_data=False).graph.initializer:
            if uses_external_data(tensor):
                place = ExternalDataInfo(tensor)
                recipe.setdefault(place.location, {})[place.offset or 0] = _spread(bundle, place, tensor)
    target.mkdir(parents=True)
    for file in bundle.iterdir():
        if file.name not in recipe:
            shutil.copy(file, target / file.name)
    in_order = {
        file: [{"offset": offset, **tensors[offset]} for offset in sorted(tensors)] for file, tensors in recipe.items()
    }
    (target / RECIPE_FILE).write_text(json.dumps(in_order) + "\n", encoding="utf-8")


def _spread(bundle: Path, place: ExternalDataInfo, tensor: TensorProto) -> dict[str, object]:
    if tensor.data_type not in TYPES:
        kind = TensorProto.DataType.Name(tensor.data_type)
        raise ValueError(
            f"{bundle}: expected weights in floats, as --for gpu stores them, found {tensor.name} in {kind}"
        )
    dtype = TYPES[tensor.data_type]
    elements = int(np.prod(tensor.dims))
    numbers = np.memmap(bundle / place.location, dtype, "r", place.offset or 0, elements)
    some = numbers[:: max(1, elements // LOOKED_AT)].astype(np.float64)
    mean, deviation = some.mean(), some.std()
    # Rounded to zero, so that more tensors have the same mean and deviation: those share their numbers in weights.ts.
    is_around_zero = abs(mean) < NEARLY_ZERO * deviation
    return {
        "elements": elements,
        "type": dtype.name,
        "mean": 0.0 if is_around_zero else float(f"{mean:.1e}"),
        "deviation": float(f"{deviation:.1e}"),
    }


if __name__ == "__main__":
    main(sys.argv[1:])
