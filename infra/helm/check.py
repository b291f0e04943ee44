"""Looks at rendered manifests: check.py KEDA WORKER_CONTROLLER VALUES MANIFEST...

Kubernetes' own kinds have to be valid, without unknown fields, in every version from the chart's first on; the others by the CRDs of those that they
are for, and triggers by KEDA's list of what each scaler takes. The folder VALUES has a file of the manifest's
name with the values that name its images. Prints, as JSON, what each worker's pod is started with and by what it is scaled.
"""

import json
import sys
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

VERSIONS = [f"1.{minor}" for minor in range(30, 38)]
LONGEST_NAME = 63
# What makes pods.
DEPLOYMENTS = ("Deployment", "WorkerDeployment")


def main(keda: Path, worker_controller: Path, values_of: Path, manifests: list[Path]) -> None:
    of_controller = worker_controller / "helm/temporal-worker-controller-crds/templates"
    schemas = {
        "ScaledObject": crd_schema(keda / "config/crd/bases/keda.sh_scaledobjects.yaml"),
        "Connection": crd_schema(of_controller / "temporal.io_connections.yaml"),
        "WorkerDeployment": crd_schema(of_controller / "temporal.io_workerdeployments.yaml"),
    }
    scalers = json.loads((keda / "schema/generated/scalers-schema.json").read_text())["scalers"]
    workers = []
    for manifest in manifests:
        objects = [each for each in yaml.safe_load_all(manifest.read_text()) if each]
        values = yaml.safe_load((values_of / manifest.name).read_text())
        for each in objects:
            about = f"{manifest.name}: {each['kind']} {each['metadata']['name']}"
            check_names(about, each)
            if each["kind"] in schemas:
                jsonschema.validate(each, schemas[each["kind"]])
            else:
                for version in VERSIONS:
                    kubernetes_validate.validate(each, version, strict=True)
            if each["kind"] == "ScaledObject":
                for trigger in each["spec"]["triggers"]:
                    check_trigger(about, trigger, scalers)
            if each["kind"] in DEPLOYMENTS:
                check_pod(about, each["spec"]["template"]["spec"])
                check_image(about, each["spec"]["template"]["spec"]["containers"], values)
        check_references(manifest.name, objects)
        workers += workers_of(manifest.name, objects)
        print(f"{manifest.name}: {len(objects)} objects, as Kubernetes {VERSIONS[0]} to {VERSIONS[-1]} has them", file=sys.stderr)
    json.dump(workers, sys.stdout)


def crd_schema(crd: Path) -> dict:
    [version] = yaml.safe_load(crd.read_text())["spec"]["versions"]
    schema = version["schema"]["openAPIV3Schema"]
    schema["properties"]["metadata"] = {"type": "object"}
    return strict(schema)


def strict(schema: dict) -> dict:
    """The API server drops unknown fields of such a schema without a word; here they are errors."""
    for each in [*schema.get("properties", {}).values(), schema.get("items"), schema.get("additionalProperties")]:
        if isinstance(each, dict):
            strict(each)
    if "properties" in schema and not schema.get("x-kubernetes-preserve-unknown-fields"):
        schema.setdefault("additionalProperties", False)
    return schema


def check_trigger(about: str, trigger: dict, scalers: list[dict]) -> None:
    """KEDA ignores settings that a scaler does not have."""
    [scaler] = [each for each in scalers if each["type"] == trigger["type"]]
    known = {each["name"]: each for each in scaler["parameters"]}
    expect(about, set(trigger["metadata"]) <= set(known), f"settings of {trigger['type']}", trigger["metadata"])
    needed = {
        name
        for name, each in known.items()
        if not each.get("optional") and "default" not in each and each.get("metadataVariableReadable")
    }
    expect(about, needed <= set(trigger["metadata"]), f"the settings {sorted(needed)}", trigger["metadata"])


def check_names(about: str, each: dict) -> None:
    # KEDA's autoscaler is named after its ScaledObject.
    prefix = "keda-hpa-" if each["kind"] == "ScaledObject" else ""
    name = prefix + each["metadata"]["name"]
    expect(about, len(name) <= LONGEST_NAME, f"a name of at most {LONGEST_NAME} characters", name)


def check_pod(about: str, pod: dict) -> None:
    """What Kubernetes' standard for restricted pods asks for, and a root that is read-only."""
    security = pod["securityContext"]
    expect(about, security["runAsNonRoot"] and security["runAsUser"] > 0, "no root", security)
    expect(about, security["seccompProfile"] == {"type": "RuntimeDefault"}, "the runtime's seccomp profile", security)
    for container in pod["containers"]:
        expected = {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        expect(about, container["securityContext"] == expected, str(expected), container["securityContext"])
        mounted = {mount["name"] for mount in container["volumeMounts"]}
        volumes = {volume["name"] for volume in pod["volumes"]}
        expect(about, mounted == volumes, "each volume mounted", (mounted, volumes))


def check_image(about: str, containers: list[dict], values: dict) -> None:
    image = values["image"]
    gpus = {"digest": image.get("gpuDigest"), "tag": image.get("gpuTag")}
    versions = values.get("orchestrator", {}).get("versions", {}).get("earlier", [])
    earlier = {each["buildId"]: each["image"] for each in versions}
    for container in containers:
        has_gpus = "nvidia.com/gpu" in container["resources"].get("limits", {})
        [build] = [arg.split("=")[1] for arg in container["args"] if arg.startswith("--build-id=")] or [None]
        own = earlier.get(build, gpus if has_gpus and any(gpus.values()) else image)
        expected = image_name(own, image.get("repository", ""))
        expect(about, container["image"].endswith(expected), f"the image {expected}", container["image"])


def image_name(image: dict, usual_repository: str) -> str:
    repository = image.get("repository", usual_repository)
    return f"{repository}@{image['digest']}" if image.get("digest") else f"{repository}:{image['tag']}"


def check_references(about: str, objects: list[dict]) -> None:
    """What names another object, or finds it by its labels."""
    names = {(each["kind"], each["metadata"]["name"]) for each in objects}
    expect(about, len(names) == len(objects), "a name for each object", names)
    deployments = [each for each in objects if each["kind"] in DEPLOYMENTS]
    for each in objects:
        spec = each.get("spec", {})
        if each["kind"] == "ScaledObject":
            expect(about, ("Deployment", spec["scaleTargetRef"]["name"]) in names, "a Deployment to scale", spec)
            host = spec["triggers"][0]["metadata"]["url"].removeprefix("http://").split(".")[0]
            expect(about, ("Service", host) in names, "a Service to ask", host)
        if each["kind"] == "WorkerDeployment":
            connection = spec["workerOptions"]["connectionRef"]["name"]
            expect(about, ("Connection", connection) in names, "its connection", connection)
        if each["kind"] in DEPLOYMENTS:
            account = spec["template"]["spec"]["serviceAccountName"]
            expect(about, ("ServiceAccount", account) in names, "its account", account)
        if each["kind"] == "Deployment":
            found = [one for one in deployments if is_met(spec["selector"]["matchLabels"], one)]
            expect(about, found == [each], "a selector of no other pods", [one["metadata"]["name"] for one in found])
        if each["kind"] in ("Service", "PodDisruptionBudget"):
            selector = spec["selector"].get("matchLabels", spec["selector"])
            found = [one for one in deployments if is_met(selector, one)]
            expect(about, found == [one for one in deployments if is_orchestrator(one)], "the orchestrators alone", selector)


def is_orchestrator(deployment: dict) -> bool:
    return "--orchestrator" in deployment["spec"]["template"]["spec"]["containers"][0]["args"]


def is_met(selector: dict, deployment: dict) -> bool:
    return selector.items() <= deployment["spec"]["template"]["metadata"]["labels"].items()


def workers_of(manifest: str, objects: list[dict]) -> list[dict]:
    triggers = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"]["triggers"][0]["metadata"]
        for each in objects
        if each["kind"] == "ScaledObject"
    }
    return [
        {
            "about": f"{manifest}: {name}",
            "args": each["spec"]["template"]["spec"]["containers"][0]["args"],
            "graceSeconds": each["spec"]["template"]["spec"]["terminationGracePeriodSeconds"],
            "queue": triggers[name]["url"].rsplit("/", 1)[1] if name in triggers else None,
            "perWorker": int(triggers[name]["targetValue"]) if name in triggers else None,
        }
        for each in objects
        if each["kind"] in DEPLOYMENTS
        for name in [each["metadata"]["name"]]
    ]


def expect(about: str, is_so: bool, expected: str, found: object) -> None:
    if not is_so:
        sys.exit(f"{about}: expected {expected}, found {found}")


if __name__ == "__main__":
    keda, worker_controller, values, *manifests = map(Path, sys.argv[1:])
    main(keda, worker_controller, values, manifests)
