#!/usr/bin/env bash
# Renders the chart with every file in cases/ and looks at the result with the schemas of Kubernetes, KEDA and Temporal's Worker Controller, and with the
# product itself; the files in refused/ have to be refused. Needs Go and Python 3.11 or later; builds Helm on its first call, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")"
chart=pixart-batch
# The first that the chart is for.
kubernetes=1.30.0

tools=$(node fetch-tools.mjs)
eval "$(grep -E '^(HELM|KEDA|WORKER_CONTROLLER)=' <<<"$tools")"
rendered=$(mktemp -d)
trap 'rm -rf "$rendered"' EXIT

# A name as long as Helm takes: all that is made of it has to be valid, too.
release=a-release-with-a-name-of-fifty-three-characters-in-it
for values in cases/*.yaml; do
  name=$(basename "$values" .yaml)
  "$HELM" lint --strict --quiet --kube-version "$kubernetes" "$chart" --values "$values"
  "$HELM" template "$release" "$chart" --kube-version "$kubernetes" --namespace studio --values "$values" >"$rendered/$name.yaml"
  echo "rendered $name"
done

for values in refused/*.yaml; do
  expected=$(sed -n '1s/^# refused: //p' "$values")
  if "$HELM" template "$release" "$chart" --kube-version "$kubernetes" --values "$values" >"$rendered/refusal" 2>&1; then
    echo "$values: expected to be refused, found a chart that renders" >&2
    exit 1
  fi
  tr '\n' ' ' <"$rendered/refusal" | grep -Eq "$expected" || {
    echo "$values: expected a refusal that says $expected, found:" >&2
    cat "$rendered/refusal" >&2
    exit 1
  }
  echo "refused $(basename "$values" .yaml)"
done
rm "$rendered/refusal"

../../models/locked-python.sh check.lock check.py "$KEDA" "$WORKER_CONTROLLER" cases "$rendered"/*.yaml >"$rendered/workers.json"
node --import tsx ../../tests/infra/helm/as-the-product-has-it.ts "$rendered/workers.json"
