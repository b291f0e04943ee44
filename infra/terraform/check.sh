#!/usr/bin/env bash
# Checks everything in the Terraform configuration that needs no Google provider: the format of all files, and the
# modules without a provider, which are validated and tested. Compares grants/ with infra/iam/grant.mjs and renders the
# chart with the values from chart/. validate.sh checks the rest with the provider. Runs the first `tofu` or `terraform`
# on the PATH; if there is none, the first call builds OpenTofu, which takes minutes.
set -euo pipefail
cd "$(dirname "$0")"
chart=../helm/pixart-batch

tools=$(node fetch-tools.mjs && node ../helm/fetch-tools.mjs)
eval "$(grep -E '^(TERRAFORM|HELM|KEDA|WORKER_CONTROLLER)=' <<<"$tools")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# Keeps state and providers out of the configuration's folder.
export TF_DATA_DIR=$folder/data TF_IN_AUTOMATION=1 TF_INPUT=0

"$TERRAFORM" version | head -n 1
"$TERRAFORM" fmt -check -diff -recursive .

# outputs MODULE VARIABLES: prints the module's outputs as JSON.
outputs() {
  "$TERRAFORM" -chdir="$1" init -backend=false >/dev/null
  "$TERRAFORM" -chdir="$1" validate >/dev/null
  "$TERRAFORM" -chdir="$1" apply -auto-approve -state="$folder/$1.tfstate" -var-file="$2" >/dev/null
  "$TERRAFORM" -chdir="$1" output -state="$folder/$1.tfstate" -json
}

node --import tsx ../../tests/infra/terraform/all-members.ts >"$folder/members.tfvars.json"
outputs grants "$folder/members.tfvars.json" >"$folder/grants.json"
"$TERRAFORM" -chdir=grants test
node --import tsx ../../tests/infra/terraform/as-grant-prints-it.ts "$folder/grants.json"

outputs chart "$PWD/case/terraform.tfvars.json" >"$folder/chart.json"
node --eval 'process.stdout.write(JSON.parse(fs.readFileSync(process.argv[1])).values.value)' "$folder/chart.json" >"$folder/values.yaml"
# The oldest Kubernetes that the chart supports.
"$HELM" template night "$chart" --kube-version 1.30.0 --namespace studio --values "$folder/values.yaml" --values case/studio.yaml >"$folder/studio.yaml"
../../models/locked-python.sh ../helm/check.lock ../helm/check.py "$KEDA" "$WORKER_CONTROLLER" case "$folder/studio.yaml" >/dev/null
../../models/locked-python.sh ../helm/check.lock check.py case/terraform.tfvars.json "$folder/chart.json" "$folder/studio.yaml"
