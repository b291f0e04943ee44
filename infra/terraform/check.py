"""Checks that the chart's pods fit the nodes that Terraform creates: check.py VARIABLES OUTPUTS MANIFEST

For each pool there has to be a Deployment that can run on its nodes, and the pods that always run must not.
"""

import json
import sys
from pathlib import Path

import yaml


def main(variables: Path, outputs: Path, manifest: Path) -> None:
    given = json.loads(variables.read_text())
    taints = json.loads(outputs.read_text())["taints"]["value"]
    deployments = [each for each in yaml.safe_load_all(manifest.read_text()) if each and each["kind"] == "Deployment"]
    nodes = {
        name: ({"cloud.google.com/gke-accelerator": pool["accelerator"], **spot(pool["spot"])}, taints["gpu"][name])
        for name, pool in given["gpu_pools"].items()
    }
    nodes["encode"] = (spot(given["encoders_on_spot"]), taints["encode"])
    components = {"encode": "encode-"}
    for name, (labels, kept) in nodes.items():
        found = [component(each) for each in deployments if fits(each, labels, kept)]
        expected = [one for one in map(component, deployments) if one.startswith(components.get(name, "render-"))]
        if found != expected or not found:
            sys.exit(f"nodes of the pool {name}: expected pods of {expected or 'some worker'}, found {found}")
        print(f"nodes of the pool {name} accept only {', '.join(found)}")


def spot(is_spot: bool) -> dict[str, str]:
    return {"cloud.google.com/gke-spot": "true"} if is_spot else {}


def component(deployment: dict) -> str:
    return deployment["metadata"]["labels"]["app.kubernetes.io/component"]


def fits(deployment: dict, labels: dict[str, str], taints: list[dict]) -> bool:
    pod = deployment["spec"]["template"]["spec"]
    is_chosen = pod.get("nodeSelector", {}).items() <= labels.items()
    return is_chosen and all(any(tolerates(one, taint) for one in pod.get("tolerations", [])) for taint in taints)


def tolerates(toleration: dict, taint: dict) -> bool:
    is_same = toleration["operator"] == "Exists" or toleration.get("value") == taint["value"]
    return toleration["key"] == taint["key"] and toleration["effect"] == "NoSchedule" and is_same


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
