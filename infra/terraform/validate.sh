#!/usr/bin/env bash
# Validates the configuration for GKE with Google's provider, and tests what the provider plans. `init` fetches it from the registry, or from a mirror
# that the command line's configuration names (TF_CLI_CONFIG_FILE). Needs no account: nothing is asked of Google.
set -euo pipefail
cd "$(dirname "$0")"

eval "$(node fetch-tools.mjs | grep '^TERRAFORM=')"
# In a copy, since `init` writes beside the configuration.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir "$folder/infra"
cp -R ../iam ../terraform "$folder/infra"
rm -rf "$folder"/infra/terraform/gke/{.terraform,.terraform.lock.hcl,backend.tf,*.tfvars}
cd "$folder/infra/terraform/gke"
export TF_IN_AUTOMATION=1 TF_INPUT=0

"$TERRAFORM" init -backend=false
"$TERRAFORM" version
"$TERRAFORM" validate
"$TERRAFORM" test
