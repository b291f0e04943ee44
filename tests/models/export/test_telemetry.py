"""ONNX Runtime collects telemetry on Linux and macOS, except in CI, unless it is disabled before it is loaded."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
GRAPH = ROOT / "tests/golden/bundles/tiny-velocity/caption_projection.onnx"
SESSION = f"import onnxruntime; onnxruntime.InferenceSession({str(GRAPH)!r})"
CONTROLLING = ("CI", "GITHUB_ACTIONS", "ORT_DISABLE_TELEMETRY", "HF_HUB_DISABLE_TELEMETRY")


def run(cache: Path, command: list[str], **environment: str) -> None:
    own = {name: value for name, value in os.environ.items() if name not in CONTROLLING}
    env = {**own, "XDG_CACHE_HOME": str(cache), "PYTHONPATH": str(ROOT / "models"), **environment}
    subprocess.run(command, check=True, env=env, cwd=ROOT)


def test_the_package_leaves_no_telemetry(tmp_path: Path) -> None:
    run(tmp_path, [sys.executable, "-c", f"import export; {SESSION}"])
    assert list(tmp_path.iterdir()) == []


def test_python_sh_disables_telemetry_for_every_program(tmp_path: Path) -> None:
    environment = Path(sys.prefix)
    (tmp_path / "pixart-batch/python").mkdir(parents=True)
    (tmp_path / "pixart-batch/python" / environment.name).symlink_to(environment)
    run(tmp_path, ["sh", "models/python.sh", "-c", SESSION])
    assert [file.name for file in tmp_path.iterdir()] == ["pixart-batch"]


@pytest.mark.skipif(sys.platform != "linux", reason="macOS stores it elsewhere")
def test_a_user_can_opt_in(tmp_path: Path) -> None:
    run(tmp_path, [sys.executable, "-c", f"import export; {SESSION}"], ORT_DISABLE_TELEMETRY="0")
    assert (tmp_path / "Microsoft/DeveloperTools/.onnxruntime/deviceid").exists()
