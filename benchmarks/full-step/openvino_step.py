"""One step of our graph in OpenVINO: `python benchmarks/full-step/openvino_step.py <folder> --size 512 --threads 1`.

Needs the packages openvino and numpy, which are not among those of models/. The folder is prepare.py's; prints a line
of JSON.
"""

import argparse
from pathlib import Path

import numpy as np
import openvino
from calls import read_inputs, report


def main() -> None:
    parser = argparse.ArgumentParser(prog="openvino_step.py", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--size", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--graph", default="transformer.onnx")
    options = parser.parse_args()
    # Without the hint it would compute in bfloat16 where the processor can.
    settings = {
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": options.threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    model = openvino.Core().compile_model(options.folder / options.graph, "CPU", settings)
    inputs = read_inputs(options.folder, options.size)
    feeds = {port.get_any_name(): inputs[port.get_any_name()] for port in model.inputs}
    feeds["caption_mask"] = feeds["caption_mask"].astype(np.int64)
    version = f"openvino {openvino.__version__}"

    def call() -> np.ndarray:
        return model(feeds)[0].copy()

    report("openvino f32", version, options, call)


if __name__ == "__main__":
    main()
