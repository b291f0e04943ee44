"""Makes a bundle's graphs for CUDA run on a processor: `models/python.sh benchmarks/cuda-numerics/define.py BUNDLE`.

Rewrites them in place, with definitions of the operators that a processor has no kernels for.
"""

import sys
from pathlib import Path

import onnx

from export.cuda_operators import with_definitions


def main(bundle: Path) -> None:
    for file in bundle.glob("*.cuda.onnx"):
        file.write_bytes(with_definitions(onnx.load(file, load_external_data=False)).SerializeToString())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
