#!/bin/sh
# Makes the namespace and what batches are found by; may be run again and again.
set -eu

temporal operator namespace describe --namespace default >/dev/null 2>&1 ||
  temporal operator namespace create --namespace default --retention 720h
# A namespace that was made a moment ago is not known everywhere at once.
temporal operator search-attribute create --namespace default \
  --name PixartTotal --type Int --name PixartDone --type Int --name PixartFailed --type Int
