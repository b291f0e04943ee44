#!/usr/bin/env bash
# Validates the configuration for GKE, and tests what it plans, with Google's provider: fetched by `init` from the registry that is set up, or from a
# mirror or an override of the command line's configuration (TF_CLI_CONFIG_FILE). Needs no account: nothing is asked of Google.
set -euo pipefail
cd "$(dirname "$0")"

eval "$(node fetch-tools.mjs | grep '^TERRAFORM=')"
TF_DATA_DIR=$(mktemp -d)
trap 'rm -rf "$TF_DATA_DIR"' EXIT
export TF_DATA_DIR TF_IN_AUTOMATION=1 TF_INPUT=0

"$TERRAFORM" version | head -n 1
# With an override of the provider it may fail, having brought the modules: `validate` says whether anything is missing.
"$TERRAFORM" -chdir=gke init -backend=false || true
"$TERRAFORM" -chdir=gke validate
"$TERRAFORM" -chdir=gke test
