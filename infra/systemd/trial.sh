#!/usr/bin/env bash
# A night under these units: boots this machine's own systemd in namespaces, on an overlay of its root with this checkout at /opt/pixart-batch, installs as
# docs/deploy.md says, renders the example catalog, drains a worker in the middle of a picture, and kills others. Nothing is left behind.
# Needs root on Linux with systemd, cgroup2, node at /usr/bin/node, and what `npm start` installs; takes some minutes. No network inside.
set -euo pipefail

boot() { # inside the new namespaces, as what becomes process 1
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$place"
  mkdir "$place/upper" "$place/work" "$place/root"
  mount -t overlay overlay -o "lowerdir=/,upperdir=$place/upper,workdir=$place/work" "$place/root"
  cd "$place/root"
  # Of this machine's own units none is started, and none that would change its clock, its kernel's settings or its files.
  rm -rf lib/systemd/system/*.wants etc/systemd/system/*.wants lib/systemd/system-generators/*
  for target in sysinit basic trial; do printf '[Unit]\nWants=systemd-journald.socket\n' >"etc/systemd/system/$target.target"; done
  mkdir -p opt/pixart-batch old
  mount --bind "$checkout" opt/pixart-batch
  mount -o remount,bind,ro opt/pixart-batch
  mount -t proc proc proc
  mount -t sysfs sysfs sys
  mount -t cgroup2 cgroup2 sys/fs/cgroup
  mount --rbind /dev dev
  for folder in run tmp var/lib var/cache srv; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
  chmod 1777 tmp
  mkdir run/lock var/cache/pixart-batch
  cp -r "$tools" var/cache/pixart-batch/bin
  ip link set lo up
  pivot_root . old
  umount --lazy /old
  export container=trial
  exec /lib/systemd/systemd --system --unit=trial.target --log-target=journal --show-status=no
}

[ "${1:-}" != boot ] || boot

checkout=$(cd "$(dirname "$0")/../.." && pwd)
tools=${XDG_CACHE_HOME:-$HOME/.cache}/pixart-batch/bin
place=$(mktemp -d)
group=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)/pixart-trial-$$
export checkout tools place
mkdir "$group"
bash -c 'echo $$ >"$0/cgroup.procs"; exec unshare --mount --pid --cgroup --net --ipc --uts --fork bash "$1" boot' "$group" "$checkout/infra/systemd/trial.sh" &
unshared=$!
end() {
  pkill -KILL --parent "$unshared" || true # process 1, and all with it
  wait "$unshared" 2>/dev/null || true
  until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 1; done
  rmdir "$place"
}
trap end EXIT

until pgrep --parent "$unshared" >/dev/null; do sleep 0.2; done
first=$(pgrep --parent "$unshared")
within() { nsenter --all --target "$first" -- "$@"; }
until within systemctl is-active -q trial.target 2>/dev/null; do sleep 0.5; done
say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
expect() { # what, expected, found
  [ "$2" = "$3" ] || { printf '%s: expected %s, found %s\n' "$1" "$2" "$3" >&2; within journalctl --no-pager -n 40 >&2; exit 1; }
  say "$1: $3"
}
shown() { within systemctl show --value --property "$2" "$1"; }
say "$(within systemctl --version | head -n 1) is process 1"

within bash -euc '
  cd /opt/pixart-batch
  install -D -m 644 infra/systemd/pixart-batch.sysusers /etc/sysusers.d/pixart-batch.conf
  install -D -m 644 infra/systemd/pixart-batch.tmpfiles /etc/tmpfiles.d/pixart-batch.conf
  install -m 644 infra/systemd/*.service /etc/systemd/system/
  install -m 755 infra/systemd/pixart-batch /usr/local/bin/
  install -D -m 640 infra/systemd/environment /etc/pixart-batch/environment
  sed -i s/^PIXART_BUNDLE=.*/PIXART_BUNDLE=pixart-icons-4-steps/ /etc/pixart-batch/environment # the faster one
  systemd-sysusers pixart-batch.conf
  systemd-tmpfiles --create pixart-batch.conf
  chown -R pixart-batch: /var/cache/pixart-batch
  systemctl daemon-reload
  install -m 640 -g pixart-batch examples/catalog.csv /srv/pixart-batch/catalogs/tonight.csv
  printf "prompt,steps,size\na fox,60,512\nan owl,4,256\na cat,4,256\na hat,4,256\n" >/srv/pixart-batch/catalogs/long.csv
'
renderer=pixart-batch-renderer@cpu
within systemctl start pixart-batch-temporal pixart-batch-orchestrator "$renderer"
batch() { within pixart-batch "$@" 2>/dev/null; }
until batch submit /srv/pixart-batch/catalogs/tonight.csv --batch tonight >/dev/null; do sleep 2; done
batch watch tonight | tail -n 4
expect 'a night under the units' 'completed' "$(batch status tonight --json | grep -o '"state":"[a-z]*"' | head -n 1 | cut -d'"' -f4)"

main=$(shown "$renderer" MainPID)
status() { within sed -n "s/^$1:\\s*//p" "/proc/$main/status"; }
expect 'capabilities' 0000000000000000 "$(status CapEff)"
expect 'no new privileges' 1 "$(status NoNewPrivs)"
expect 'system calls are filtered' 2 "$(status Seccomp)"
as_unit() { within nsenter --mount --target "$main" -- setpriv --reuid pixart-batch --regid pixart-batch --clear-groups -- "$@" 2>&1 | tail -n 1; }
expect 'the system' "touch: cannot touch '/opt/pixart-batch/x': Read-only file system" "$(as_unit touch /opt/pixart-batch/x)"
expect 'home folders' "ls: cannot open directory '/root': Permission denied" "$(as_unit ls /root)"

batch submit /srv/pixart-batch/catalogs/long.csv --batch long >/dev/null
until batch status long --json | grep -q '"step":[1-9]'; do sleep 0.5; done
within systemctl kill --kill-whom=all --signal=SIGUSR2 "$renderer"
while within systemctl is-active -q "$renderer"; do sleep 1; done
expect 'drained, it ended with' 'success 0 0' "$(shown "$renderer" Result) $(shown "$renderer" ExecMainStatus) $(shown "$renderer" NRestarts)"
within systemctl start "$renderer"
batch watch long | tail -n 1
expect 'pictures computed more than once' 0 "$(within sh -c 'grep -ho "\"computations\": *[2-9]" /srv/pixart-batch/images/batches/long/manifest.json | wc -l')"

for unit in "$renderer" pixart-batch-orchestrator pixart-batch-temporal; do
  within systemctl kill --kill-whom=main --signal=SIGKILL "$unit"
  until [ "$(shown "$unit" NRestarts)" = 1 ] && within systemctl is-active -q "$unit"; do sleep 1; done
  say "$unit: started again after SIGKILL"
done
until batch submit /srv/pixart-batch/catalogs/tonight.csv --batch again >/dev/null; do sleep 2; done
batch watch again | tail -n 1
began=$SECONDS
within systemctl stop "$renderer" pixart-batch-orchestrator pixart-batch-temporal
for unit in "$renderer" pixart-batch-orchestrator pixart-batch-temporal; do expect "$unit, stopped" success "$(shown "$unit" Result)"; done
say "all stopped within $((SECONDS - began)) s"
