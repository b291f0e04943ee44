"""Checks what the images are built from and how the compose file runs them: check.py SCHEMA

SCHEMA is the Compose specification's. Prints, as JSON, the arguments of each of our containers.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "infra/compose/compose.yaml"
# Top-level folders that no image needs.
NOT_NEEDED = {".ci", "benchmarks", "docs", "findings", "tests"}
DOCKERFILE = ROOT / "infra/docker/Dockerfile"


def main(schema: Path) -> None:
    check_context()
    check_copied()
    check_runtime()
    compose = yaml.safe_load(COMPOSE.read_text())
    jsonschema.validate(compose, json.loads(schema.read_text()))
    services = compose["services"]
    for name, service in services.items():
        check_service(f"{COMPOSE.name}: {name}", service, services, compose["volumes"])
    ours = {name: service for name, service in services.items() if "build" in service}
    for name, service in ours.items():
        check_ours(f"{COMPOSE.name}: {name}", service)
    print(f"{COMPOSE.name}: {len(services)} services, valid by the Compose specification", file=sys.stderr)
    json.dump([started(name, service) for name, service in ours.items() if "command" in service], sys.stdout)


def check_context() -> None:
    """A new folder has to be listed, or images would lack it, which only a build would show."""
    rules = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if not line.startswith("#")]
    expect(".dockerignore", rules[0] == "*", "* first, so that only listed paths are sent", rules[0])
    named = [rule[1:] for rule in rules if rule.startswith("!")]
    for path in named:
        expect(".dockerignore", (ROOT / path).exists(), "a path that exists", path)
    tracked = subprocess.check_output(["git", "ls-files"], cwd=ROOT, text=True).splitlines()
    folders = {file.split("/")[0] for file in tracked if "/" in file}
    decided = {path.split("/")[0] for path in named} | NOT_NEEDED
    expect(".dockerignore", folders <= decided, "every folder listed, or in NOT_NEEDED of check.py", folders - decided)


def check_copied() -> None:
    for line in re.findall(r"^COPY (?!--)(.+)$", DOCKERFILE.read_text(), re.MULTILINE):
        for path in line.split()[:-1]:
            expect("Dockerfile", (ROOT / path).exists(), "a path to copy that exists", path)


def check_runtime() -> None:
    """ONNX Runtime loads only a provider of its own version."""
    package = json.loads((ROOT / "package.json").read_text())
    runtime = package["dependencies"]["onnxruntime-node"]
    lock = (ROOT / "infra/docker/cuda.lock").read_text()
    expect("cuda.lock", f"onnxruntime-gpu=={runtime} " in lock, f"onnxruntime-gpu=={runtime}", lock.splitlines()[3])


def check_service(about: str, service: dict, services: dict, volumes: dict) -> None:
    for other, condition in service.get("depends_on", {}).items():
        expect(about, other in services, "a service to wait for", other)
        awaited = services[other]
        is_checked = "healthcheck" in awaited or "build" in awaited
        expect(about, condition["condition"] != "service_healthy" or is_checked, "a health check", other)
    for port in service.get("ports", []):
        expect(about, port.startswith("127.0.0.1:"), "a port on loopback", port)
    for volume in service.get("volumes", []):
        source = source_of(volume)
        is_there = source in volumes or source.startswith("$") or (COMPOSE.parent / source).exists()
        expect(about, is_there, "a volume or file that exists", source)


def source_of(volume: str | dict) -> str:
    source = volume.split(":")[0] if isinstance(volume, str) else volume["source"]
    default = re.fullmatch(r"\$\{\w+:-(.+)\}", source)
    return default[1] if default else source


def check_ours(about: str, service: dict) -> None:
    """As strict as the chart's pods."""
    expect(about, service.get("read_only") is True, "a read-only root", service.get("read_only"))
    expect(about, service.get("cap_drop") == ["ALL"], "no capabilities", service.get("cap_drop"))
    expect(about, "user" not in service, "the image's own user", service.get("user"))
    device = service["build"]["args"]["DEVICE"]
    expect(about, service["image"] == f"pixart-batch:{device}", f"the image for {device}", service["image"])


def started(name: str, service: dict) -> dict:
    seconds = int(service["stop_grace_period"].removesuffix("s"))
    return {"about": name, "args": service["command"], "graceSeconds": seconds, "queue": None}


def expect(about: str, is_so: bool, expected: str, found: object) -> None:
    if not is_so:
        sys.exit(f"{about}: expected {expected}, found {found}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
