#!/usr/bin/env bash
# Lints the Dockerfiles, and checks the compose file against the Compose specification's schema and against the product
# itself. Takes seconds, since it builds no image (try.sh does). Needs Go, and Python 3.11 or later with pip.
set -euo pipefail
cd "$(dirname "$0")"

tools=$(node fetch-tools.mjs)
eval "$(grep -E '^(HADOLINT|COMPOSE)=' <<<"$tools")"
"$HADOLINT" Dockerfile bundle.Dockerfile
echo 'hadolint: no findings'

started=$(mktemp)
trap 'rm -f "$started"' EXIT
# The chart's lock has the packages for YAML and JSON schemas.
../../models/locked-python.sh ../helm/check.lock check.py "$COMPOSE" >"$started"
node --import tsx ../../tests/infra/helm/as-the-product-has-it.ts "$started"
