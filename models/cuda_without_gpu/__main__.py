"""Command line: `models/check-cuda-graphs.sh <bundle> …`; exits with 1 where a graph for CUDA needs the processor."""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .bad_graph import write_bad_graph
from .libraries import built_libraries

GRAPHS = ("text_encoder", "caption_projection", "transformer", "vae_decoder")
MOST_NODES = 24
"""Of a block, those that put something on the device: a Reshape does not."""

KERNEL = re.compile(r"Operator=(\w+) .*SdpaKernel=(\w+)")


@dataclass(frozen=True)
class Report:
    """What a graph does in the CUDA provider."""

    file: str
    found: dict[str, Any]
    kernels: Counter

    @property
    def block(self) -> int:
        """Nodes of the largest block, without those that move nothing."""
        sizes = (sum(op != "Reshape" for op in ops) for ops in self.found["blocks"].values())
        return max(sizes, default=0)

    @property
    def problems(self) -> list[str]:
        """What keeps it from running on the card alone."""
        found = self.found
        problems = []
        if found["refused"] is not None:
            problems.append(f"does not open without the processor: {_first_line(found['refused'])}")
        if found["on_processor"]:
            listed = ", ".join(f"{count} {op}" for op, count in found["on_processor"].items())
            problems.append(f"nodes on the processor: {listed}")
        if found["copies"]:
            problems.append(f"{found['copies']} copies between the processor and the card")
        if self.block > MOST_NODES:
            problems.append(f"{self.block} nodes in a block, expected at most {MOST_NODES}")
        if self.kernels["MATH"]:
            problems.append(f"{self.kernels['MATH']} attentions are not fused")
        return problems


def examine(file: Path, side: int) -> Report:
    """Opens and runs a graph in a process of its own. Raises `RuntimeError` where that ends without an answer."""
    libraries = str(built_libraries())
    environment = {**os.environ, "LD_LIBRARY_PATH": libraries, "ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO": "1"}
    command = [sys.executable, "-m", "cuda_without_gpu.session", str(file), str(side)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, errors="replace", check=False)
    answers = [line for line in done.stdout.splitlines() if line.startswith("FOUND ")]
    if not answers:
        raise RuntimeError(f"{file}: the provider could not run it:\n{done.stderr.strip()[-2000:]}")
    # It says so at each run, of which there are two.
    said = Counter(kernel for _, kernel in KERNEL.findall(done.stdout))
    kernels = Counter({kernel: count // 2 for kernel, count in said.items()})
    found = json.loads(answers[0].removeprefix("FOUND "))
    return Report(file.name, {**found, "on_processor": Counter(found["on_processor"])}, kernels)


def check_itself(folder: Path) -> None:
    """Raises `RuntimeError` unless a graph is found out that leaves a node to the processor, between two copies."""
    file = folder / "bad.onnx"
    write_bad_graph(file)
    report = examine(file, side=1)
    if report.found["refused"] is None or report.found["on_processor"].total() != 1 or report.found["copies"] == 0:
        raise RuntimeError(f"a graph with a node that CUDA has no kernel for was not found out: {report}")


def graphs_on_cuda(bundle: Path) -> list[Path]:
    """The graphs that a worker with a card opens: those for CUDA where the bundle has them."""
    files = [(bundle / f"{name}.cuda.onnx", bundle / f"{name}.onnx") for name in GRAPHS]
    return [own if own.exists() else general for own, general in files]


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="models/check-cuda-graphs.sh", description=__doc__)
    parser.add_argument("bundles", nargs="+", type=Path, metavar="bundle")
    parser.add_argument("--side", type=int, default=64, help="latents along each side; default: 64, as for 512 px")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        check_itself(Path(folder))
    failed = False
    print("| graph | nodes | largest block | on the processor | copies | launches | to the card | attention |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for bundle in options.bundles:
        for file in graphs_on_cuda(bundle):
            report = examine(file, options.side)
            print(_row(bundle, report), flush=True)
            # The others are for every device; those of them that are slow on a card are shown, but are no mistake.
            if ".cuda." in report.file:
                failed = failed or bool(report.problems)
                for problem in report.problems:
                    print(f"{bundle / report.file}: {problem}", file=sys.stderr)
    return int(failed)


def _row(bundle: Path, report: Report) -> str:
    found = report.found
    kernels = ", ".join(f"{count} {kernel}" for kernel, count in sorted(report.kernels.items()))
    cells = [
        f"{bundle.name}/{report.file}",
        found["nodes"],
        report.block or "",
        found["on_processor"].total(),
        found["copies"],
        found["launches"],
        f"{found['to_device'] / 1e6:.2f} MB",
        kernels,
    ]
    return f"| {' | '.join(map(str, cells))} |"


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0][:300]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
