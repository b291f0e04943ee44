#!/bin/sh
# Creates the namespace and the search attributes of batches; can be run again.
set -eu

temporal operator namespace describe --namespace default >/dev/null 2>&1 ||
  temporal operator namespace create --namespace default --retention 720h
# A new namespace takes a moment to be known everywhere.
temporal operator search-attribute create --namespace default \
  --name PixartTotal --type Int --name PixartDone --type Int --name PixartFailed --type Int
