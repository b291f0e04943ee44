#!/bin/sh
# Every check of the Python under models/: lint, format, tests. Makes the locked environment where it is missing.
set -eu

cd -- "$(dirname -- "$0")"
./python.sh -m ruff check --config pyproject.toml . ../tests/models
./python.sh -m ruff format --config pyproject.toml --check . ../tests/models
./python.sh -m pytest
