"""Builds the stub CUDA libraries from what the provider's library needs of the real ones."""

import hashlib
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

HERE = Path(__file__).parent
SOURCE, COUNTERS = HERE / "libraries.c", HERE / "counters.c"

LINKED = ("libcudart.so.13", "libcublas.so.13", "libcublasLt.so.13", "libcurand.so.10", "libcuda.so.1")
"""What the provider's library names; its symbols are versioned by these."""

OPENED = "libcudnn.so"
"""What it opens by itself, and asks for functions by name."""

UNVERSIONED = {"cuTensorMapEncodeTiled": "libcuda.so.1"}

WORK = re.compile(
    r"_*cudaLaunch\w*Kernel\w*|cublas\w*(Gemm|gemm|geam)\w*|cublasLtMatmul|cudnn(BackendExecute|\w+Forward)"
)
"""Functions that would start something on the device."""


def provider() -> Path:
    """The library of ONNX Runtime's CUDA provider, found without loading it."""
    folder = Path(find_spec("onnxruntime").origin).parent
    return folder / "capi" / "libonnxruntime_providers_cuda.so"


def built_libraries() -> Path:
    """The folder of the libraries, which the dynamic linker has to find; they are built where they are missing."""
    library = provider()
    digest = hashlib.sha256(library.name.encode() + str(library.stat().st_size).encode())
    for file in (SOURCE, COUNTERS, Path(__file__)):
        digest.update(file.read_bytes())
    folder = Path(sys.prefix) / f"stub-cuda-{digest.hexdigest()[:12]}"
    if not folder.exists():
        unfinished = folder.with_name(f"{folder.name}.{os.getpid()}")
        unfinished.mkdir()
        _build(library, unfinished)
        unfinished.rename(folder)
    return folder


def _build(library: Path, folder: Path) -> None:
    _compile(folder, "libcudastub.so", COUNTERS.read_text(encoding="utf-8"))
    needed = _needed(library)
    for name in LINKED:
        functions = [function for function, home in needed.items() if home == name]
        versions = folder / f"{name}.map"
        versions.write_text(f"{name} {{ *; }};\n", encoding="utf-8")
        options = [f"-Wl,-soname,{name}", f"-Wl,--version-script={versions}", "-lcudastub"]
        _compile(folder, name, _source(functions), *options)
    by_name = sorted(set(re.findall(rb"\x00(cudnn[A-Z]\w+)(?=\x00)", library.read_bytes())))
    _compile(folder, OPENED, _source([name.decode() for name in by_name]), "-lcudastub")


def _needed(library: Path) -> dict[str, str]:
    """The functions that the library takes from others of CUDA, and from which."""
    said = subprocess.run(["nm", "-D", "--undefined-only", library], check=True, capture_output=True, text=True).stdout
    symbols = (line.split()[-1].partition("@") for line in said.splitlines())
    found = {name: UNVERSIONED.get(name, version) for name, _, version in symbols}
    return {name: home for name, home in found.items() if home in LINKED}


def _source(functions: list[str]) -> str:
    own = SOURCE.read_text(encoding="utf-8")
    bodies = ["void stub_launch(void);"]
    for name in functions:
        if not re.search(rf"\b{name}\b", own):
            bodies.append(f"int {name}(void) {{ {'stub_launch(); ' if WORK.fullmatch(name) else ''}return 0; }}")
    return own + "\n".join(bodies)


def _compile(folder: Path, name: str, source: str, *options: str) -> None:
    command = ["cc", "-w", "-shared", "-fPIC", "-x", "c", "-", "-o", folder / name, f"-L{folder}", *options]
    subprocess.run(command, input=source, text=True, check=True)
