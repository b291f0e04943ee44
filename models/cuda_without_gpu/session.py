"""Opens and runs one graph: `python -m cuda_without_gpu.session GRAPH SIDE`, and prints a line of JSON.

A process of its own, since the dynamic linker has to know of the stub libraries before Python starts.
"""

import ctypes
import json
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import onnxruntime

CUDA, PROCESSOR = "CUDAExecutionProvider", "CPUExecutionProvider"
BATCH, TOKENS, PADDED_TOKENS = 2, 30, 32
"""A caption's tokens; on a card the text encoder gets a multiple of 8 of them."""
BLOCKS = ("transformer_blocks.", "encoder.block.")
DTYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int32)": np.int32,
    "tensor(int64)": np.int64,
    "tensor(bool)": np.bool_,
}


def main(file: str, side: int) -> None:
    refused = _refusal(file)
    with tempfile.TemporaryDirectory() as folder:
        options = _options()
        options.enable_profiling = True
        options.profile_file_prefix = str(Path(folder) / "profile")
        session = onnxruntime.InferenceSession(file, options, providers=[CUDA, PROCESSOR])
        inputs = _inputs(session, side)
        session.run(None, inputs)
        before = _counted()
        session.run(None, inputs)
        launches, to_device, from_device = (b - a for a, b in zip(before, _counted(), strict=True))
        events = json.loads(Path(session.end_profiling()).read_text(encoding="utf-8"))
    nodes = {
        event["args"]["node_index"] + event["name"]: event
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    }.values()
    names = [
        (event["name"].removesuffix("_kernel_time"), event["args"]["op_name"], event["args"]["provider"])
        for event in nodes
    ]
    found = {
        "refused": refused,
        "nodes": len(names),
        "on_processor": Counter(op for _, op, provider in names if provider == PROCESSOR),
        "copies": sum(op.startswith("Memcpy") for _, op, _ in names),
        "blocks": _blocks(names),
        "launches": launches,
        "to_device": to_device,
        "from_device": from_device,
    }
    print("FOUND", json.dumps(found))


def _refusal(file: str) -> str | None:
    """Why the graph cannot be opened where no node may be left to the processor; None where it can."""
    options = _options()
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
    try:
        onnxruntime.InferenceSession(file, options, providers=[CUDA])
    except Exception as error:
        return str(error)
    return None


def _options() -> onnxruntime.SessionOptions:
    """As models/pixart/session.ts."""
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    return options


def _inputs(session: onnxruntime.InferenceSession, side: int) -> dict[str, np.ndarray]:
    """Zeros: what is in them reaches no kernel."""
    known = {input_.name: input_.shape for input_ in session.get_inputs()}
    patch = 2
    lengths = {
        "batch": BATCH,
        "tokens": PADDED_TOKENS if "input_ids" in known else TOKENS,
        "height": side,
        "width": side,
        "rows": side // patch,
        "columns": side // patch,
        "image_tokens": (side // patch) ** 2,
        "spans": 3 * BATCH + 2,
    }
    return {
        input_.name: np.zeros([lengths.get(length, length) for length in known[input_.name]], DTYPES[input_.type])
        for input_ in session.get_inputs()
    }


def _blocks(names: list[tuple[str, str, str]]) -> dict[str, list[str]]:
    """Operators by the block whose name a node's begins with."""
    blocks: dict[str, list[str]] = {}
    for name, op, _ in names:
        block, slash, _ = name.partition("/")
        if slash and block.startswith(BLOCKS):
            blocks.setdefault(block, []).append(op)
    return blocks


def _counted() -> list[int]:
    numbers = (ctypes.c_long * 3)()
    ctypes.CDLL("libcudastub.so").stub_read(numbers)
    return list(numbers)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
