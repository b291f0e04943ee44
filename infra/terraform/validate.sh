#!/usr/bin/env bash
# Validates the configuration for GKE with Google's provider, and tests the provider's plan. `init` fetches the provider
# from the registry, or from a mirror named in the CLI configuration (TF_CLI_CONFIG_FILE). Needs no account and sends no
# request to Google.
set -euo pipefail
cd "$(dirname "$0")"

eval "$(node fetch-tools.mjs | grep '^TERRAFORM=')"
# Works in a copy, since `init` writes beside the configuration.
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
