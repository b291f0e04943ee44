#!/usr/bin/env bash
# Follows docs/deploy.md, "One VM" and "Three machines", as it was last committed: runs the page's own commands in their order, on machines that are namespaces
# (trial-machine.sh), and compares the results with what the page promises (trial-steps.sh). Prints both, stops at the first difference, and leaves nothing behind.
#
#   sudo bash infra/systemd/trial.sh [FOLDER]     # FOLDER: where to keep the contact sheets, to look at
#
# Takes some 20 minutes on two cores that have other work, and 5 GB of memory. Needs Linux with cgroup2 and systemd 252 or later, node, npm, git, pip, rsync, ip and sshd; and the
# registries of npm and pip, which only the installation can reach.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

if [ -z "${place:-}" ]; then
  for program in node npm git pip rsync ip sshd nsenter; do
    command -v "$program" >/dev/null || { echo "$program: expected it on the PATH, found nothing" >&2; exit 1; }
  done
  place=$(mktemp -d)
  group=$(findmnt -n -o TARGET -t cgroup2 | head -n 1)/pixart-trial-$$
  export place group
  mkdir "$group"
  # Whatever is started or mounted from here on ends with the process that `unshare` becomes, whichever way this one ends.
  unshare --mount --pid --mount-proc --fork --kill-child bash "$0" "$@" &
  end() {
    kill -KILL "$!" 2>/dev/null || true
    until find "$group" -depth -type d -exec rmdir {} + 2>/dev/null; do sleep 0.2; done
    rmdir "$place"
  }
  trap end EXIT
  trap 'exit 130' INT TERM
  wait "$!"
  exit
fi

keep=${1:-}
declare -A first
mount -t tmpfs tmpfs "$place"
git -c safe.directory='*' clone -q --bare --depth 1 "file://$here/../.." "$place/pixart-batch.git"

# ── Machines ──
boot() { # NAME
  mkdir -p "$group/$1"
  bash -c 'echo $$ >"$1/cgroup.procs"; exec unshare --mount --pid --cgroup --net --ipc --uts --fork bash "$2" "$3"' - "$group/$1" "$here/trial-machine.sh" "$1" &
  disown
  until first[$1]=$(pgrep --parent $!); do sleep 0.1; done
  until inside "$1" 'systemctl is-system-running --wait' >/dev/null 2>&1 || [ "$(inside "$1" 'systemctl is-system-running' 2>&1)" = degraded ]; do sleep 0.5; done
}
down() { # NAME [reboot|poweroff]
  inside "$1" "systemctl ${2:-poweroff}" 2>/dev/null || true
  while [ -d "/proc/${first[$1]}" ]; do sleep 0.2; done
}
inside() { # NAME COMMANDS: on that machine
  nsenter --all --target "${first[$1]}" -- env -i HOME=/root LANG=C.UTF-8 PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -euo pipefail -c "$2"
}
online() { # NAME COMMANDS: there, but with this machine's network
  nsenter --mount --pid --cgroup --ipc --uts --target "${first[$1]}" -- env HOME=/root bash -euo pipefail -c "$2"
}
wire() { # NAME NUMBER: by a cable to hub
  ip link add "$1" netns "${first[hub]}" type veth peer name eth0 netns "${first[$1]}"
  inside hub "ip link set $1 master lan up"
  inside "$1" "ip address add 10.77.0.$2/24 dev eth0; ip link set eth0 up"
}

# ── What the document says, and what is seen ──
block() { # HEADING N: the N-th block of commands under it, for root on a machine without a card
  git -C "$place/pixart-batch.git" show HEAD:docs/deploy.md | awk -v heading="$1" -v wanted="$2" '
    /^```/ { fenced = !fenced; if (fenced && here) n++; next }
    !fenced && /^#+ / { sub(/^#+ /, ""); here = $0 == heading; next }
    fenced && here && n == wanted { print; found = 1 }
    END { if (!found) { print "docs/deploy.md: expected block " wanted " under " heading ", found none" >"/dev/stderr"; exit 1 } }' |
    sed 's/\bsudo //g; s/cuda:0/cpu/g; s|https://git.example/|/mnt/|; /--follow/d'
}
say() { printf '%(%T)T  %s\n' -1 "$*"; }
differs() { # WHAT EXPECTED SEEN
  printf '%s: expected %s, seen %s\n' "$1" "$2" "$3" >&2
  inside "$machine" 'journalctl --no-pager -n 60' >&2
  exit 1
}
on() { machine=$1; }
follow() { # HEADING N [inside|online]
  say "[$machine] $1, block $2"
  "${3:-inside}" "$machine" "$(block "$1" "$2")" >"$place/printed" 2>&1 || differs "$1, block $2" 'commands that succeed' "$(cat "$place/printed")"
}
printed() { # PATTERN: what the commands that were followed last have said
  local line
  while read -r line; do
    # shellcheck disable=SC2053
    [[ $line != $1 ]] || { say "it says: $line (expected: $1)"; return; }
  done <"$place/printed"
  differs 'it says' "$1" "$(cat "$place/printed")"
}
see() { # WHAT PATTERN COMMANDS: by their last line
  local seen
  seen=$(inside "$machine" "$3" 2>&1 | tail -n 1) || true
  # shellcheck disable=SC2053
  [[ $seen == $2 ]] || differs "$1" "$2" "$seen"
  say "$1: ${seen:0:160} (expected: $2)"
}
renderer=pixart-batch-renderer@cpu
units="pixart-batch-temporal pixart-batch-orchestrator $renderer"
catalog() { # NAME STEPS SEEDS…: a batch of pictures that take long
  inside "$machine" "(echo id,prompt,size,steps,seed; for seed in ${*:3}; do echo picture-\$seed,a glossy apple on a green background,512,$2,\$seed; done) >/tmp/$1.csv
    install -m 640 -g pixart-batch /tmp/$1.csv /srv/pixart-batch/catalogs/; pixart-batch submit /srv/pixart-batch/catalogs/$1.csv --batch $1" >/dev/null 2>&1
}
step() { inside "$machine" "pixart-batch status $1" | sed -n 's/.*in hand: .*step \([0-9]*\) of.*/\1/p'; } # BATCH: that its last picture is at
begun() { # BATCH [STEP]: waits until it is beyond that
  until [ "$(step "$1" || true)" -gt "${2:-2}" ] 2>/dev/null; do sleep 1; done
}
ended() { see "$1 ends" "batch $1 completed: $2*" "pixart-batch watch $1 >/dev/null; pixart-batch status $1 | head -n 1"; }
whole() { # BATCH PICTURES
  see "pictures of $1" "batch $1: $2 images, all as they were made" "pixart-batch verify $1"
  [ -z "$keep" ] || inside "$machine" "cat /srv/pixart-batch/images/batches/$1/contact-sheet.webp" >"$keep/$machine-$1.webp"
}
ready() { inside "$machine" "until journalctl -u $1 | grep -q '$2'; do sleep 1; done"; } # UNIT WORDS
up() { see "$1" "$(sed 's/[^ ]*/active/g' <<<"$1") " "systemctl is-active $1 | tr '\n' ' '"; }

boot image
on image
say "$(inside image 'systemctl --version' | head -n 1) is process 1 of each machine"
online image "$(block '1. Install' 1 | head -n 3)" >/dev/null 2>&1
down image
# shellcheck source=infra/systemd/trial-steps.sh
. "$here/trial-steps.sh"
