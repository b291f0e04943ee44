#!/usr/bin/env bash
# Lints what images are built with, and looks at the compose file with the schema of its specification and with the product itself. In seconds:
# nothing is built (try.sh does). Needs Go, and Python 3.11 or later with pip.
set -euo pipefail
cd "$(dirname "$0")"

tools=$(node fetch-tools.mjs)
eval "$(grep -E '^(HADOLINT|COMPOSE)=' <<<"$tools")"
"$HADOLINT" Dockerfile bundle.Dockerfile
echo 'hadolint has nothing to say'

started=$(mktemp)
trap 'rm -f "$started"' EXIT
# What reads YAML and knows schemas is in the chart's lock.
../../models/locked-python.sh ../helm/check.lock check.py "$COMPOSE" >"$started"
node --import tsx ../../tests/infra/helm/as-the-product-has-it.ts "$started"
