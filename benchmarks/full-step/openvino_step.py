"""One step of our graph in OpenVINO.

`benchmarks/peer/openvino.sh benchmarks/full-step/openvino_step.py <folder> --size 512`

The folder is prepare.py's. `int8` is NNCF's quantisation of the float32 graph, created on the first call and kept in
the folder: weights and inputs of all matrix products, with ranges calibrated on the call's own inputs at three
timesteps, which favours it.
"""

import sys
from argparse import Namespace
from contextlib import redirect_stdout
from pathlib import Path

import nncf
import numpy as np
import openvino
from calls import parse_options, read_inputs, report

# Without the hint it would compute in bfloat16 if the processor can.
PRECISION = {"float32": "f32", "bfloat16": "bf16", "int8": "f32"}
CALIBRATED_AT = (999.0, 500.0, 20.0)


def main() -> None:
    options = parse_options("openvino_step.py", __doc__, "float32", "bfloat16", "int8")
    settings = {
        "INFERENCE_PRECISION_HINT": PRECISION[options.kind],
        "INFERENCE_NUM_THREADS": options.threads,
        "PERFORMANCE_HINT": "LATENCY",
    }
    core = openvino.Core()
    model = core.compile_model(graph_of(core, options), "CPU", settings)
    names = [port.get_any_name() for port in model.inputs]

    def call(size: int, timestep: float) -> np.ndarray:
        return model(feeds(options.folder, size, timestep, names))[0]

    report(f"openvino {options.kind}", f"openvino {openvino.__version__}", options, call)


def feeds(folder: Path, size: int, timestep: float, names: list[str]) -> dict[str, np.ndarray]:
    inputs = read_inputs(folder, size)
    inputs["caption_mask"] = inputs["caption_mask"].astype(np.int64)
    inputs["timestep"] = np.full_like(inputs["timestep"], timestep)
    return {name: inputs[name] for name in names}


def graph_of(core: openvino.Core, options: Namespace) -> Path:
    plain = options.folder / "fp32" / "transformer.onnx"
    if options.kind != "int8":
        return plain
    quantised = options.folder / "openvino-int8" / "transformer.xml"
    if not quantised.exists():
        model = core.read_model(plain)
        names = [port.get_any_name() for port in model.inputs]
        calls = nncf.Dataset([feeds(options.folder, 256, timestep, names) for timestep in CALIBRATED_AT])
        # It prints progress to standard output, which is for results.
        with redirect_stdout(sys.stderr):
            made = nncf.quantize(model, calls, model_type=nncf.ModelType.TRANSFORMER, subset_size=len(CALIBRATED_AT))
        quantised.parent.mkdir(exist_ok=True)
        openvino.save_model(made, quantised.with_name("unfinished.xml"), compress_to_fp16=False)
        quantised.with_name("unfinished.bin").rename(quantised.with_suffix(".bin"))
        quantised.with_name("unfinished.xml").rename(quantised)
    return quantised


if __name__ == "__main__":
    main()
