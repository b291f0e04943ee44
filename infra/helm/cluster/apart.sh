#!/usr/bin/env bash
# The part of cluster-check.sh that runs in namespaces of its own: apart.sh FOLDER
set -euo pipefail
cd "$(dirname "$0")/../../.."
folder=$1

# In memory, and gone with the namespace.
mount -t tmpfs tmpfs "$folder"
export TMPDIR=$folder
# Addresses of pods; on a loopback device each address of the network is one's own.
ip link set lo up
ip address add 10.244.0.1/16 dev lo
# Names of services, which the stand-in for a node writes.
echo '127.0.0.1 localhost' >"$folder/hosts"
mount --bind "$folder/hosts" /etc/hosts

# No exec: the first process of a namespace has none of the usual signals.
node --import tsx tests/infra/helm/cluster/check.ts "$folder"
