# shellcheck shell=bash disable=SC2154
# The steps of trial.sh, which has the words that they are written in.

# ── One VM ──
boot vm
on vm
inside vm "cd /opt/pixart-batch; $(block '1. Install' 1 | tail -n +4)" >/dev/null 2>&1
follow '1. Install' 2 online
printed 'batch example-* completed: 24 jobs, 24 rendered'
follow '3. Start' 1
ready "$renderer" 'render worker ready'
up "$units"
see 'times that one was started again' 0 "journalctl | grep -c 'Scheduled restart' || true"
follow '4. A night' 1
printed 'batch tonight completed: 24 jobs, 24 rendered'
whole tonight 24
inside vm 'useradd zoe; usermod -a -G pixart-batch zoe; useradd eve'
see 'pictures that somebody of the group sees' 24 'runuser -u zoe -- ls /srv/pixart-batch/images/batches/tonight | grep -c png'
see 'what somebody else sees' '*: Permission denied' 'runuser -u eve -- ls /srv/pixart-batch || true'

worker="\$(systemctl show --value -P MainPID $renderer)"
as_worker="nsenter --mount --target $worker -- setpriv --reuid pixart-batch --regid pixart-batch --clear-groups --"
see 'capabilities of a worker' '*0000000000000000' "grep CapEff /proc/$worker/status"
see 'filter of its system calls' '*2' "grep Seccomp: /proc/$worker/status"
see 'what comes of its writing to the program' '*: Read-only file system' "$as_worker touch /opt/pixart-batch/x || true"
see 'what it sees of home folders' '*: Permission denied' "$as_worker ls /root || true"

catalog long 100 1
begun long
stopped_at=$(step long)
follow '5. Stop, drain, update' 1
see 'a picture in hand of a worker that was stopped' '*the worker was told to stop before*' "sleep 3; pixart-batch status long | grep 'told to stop'"
begun long "$stopped_at"
say "went on after step $stopped_at"
down vm reboot
boot vm
up "$units"
see 'times that one was started again after the boot' 0 "journalctl | grep -c 'Scheduled restart' || true"
see 'the schedule is still there' 'nightly *' 'pixart-batch schedule list'
begun long "$stopped_at"
follow '5. Stop, drain, update' 2
see 'a drained worker' 'told to drain' "journalctl -u $renderer | grep -o 'told to drain'"
ended long '1 job, 1 rendered'
see 'times that it was started again by itself' 0 "journalctl | grep -c 'Scheduled restart' || true"

catalog update 20 2 3 4
follow '5. Stop, drain, update' 3 online
ended update '3 jobs, 3 rendered'
follow '5. Stop, drain, update' 4
printed '* already uses Temporal server *: nothing to do'

follow '6. Back up' 1
inside vm 'systemctl stop pixart-batch-temporal; rm /var/lib/pixart-batch/temporal.db*; systemctl start pixart-batch-temporal'
see 'a new server' 'no schedules yet' 'pixart-batch schedule list'
follow '6. Back up' 2
printed 'schedule nightly is recreated'
printed 'batch tonight: 24 images, all as they were made'
catalog found 20 2 3 4
see 'a batch whose pictures the store has' '*3 reused*' 'pixart-batch watch found | grep completed'
down vm

# ── Three machines ──
mkdir -p "$place/store" "$place/hub/upper/var/cache"
cp -r "$place/vm/upper/var/cache/pixart-batch" "$place/hub/upper/var/cache/" # the server's program, which "1. Install", block 2, fetches
for name in hub render-1 render-2; do boot "$name"; done
cables() {
  inside hub 'ip link add lan type bridge; ip address add 10.77.0.1/24 dev lan; ip link set lan up'
  wire render-1 2
  wire render-2 3
}
cables
number=$(block 'Three machines' 1)
for name in hub render-1 render-2; do
  on "$name"
  inside "$name" "cd /opt/pixart-batch; $(block '1. Install' 1 | tail -n +4 | sed "s|^systemd-sysusers|$(sed 's/[&|\\]/\\&/g' <<<"$number")\n&|")" >/dev/null 2>&1
  see "the user's number on $name" 880 'id -u pixart-batch'
done
inside hub 'systemctl start ssh'
for name in render-1 render-2; do
  on "$name"
  follow 'Three machines' 3
  key=$(inside "$name" 'cat /etc/pixart-batch/tunnel.key.pub')
  commands=$(block 'Three machines' 4 | sed "s|ssh-ed25519 AAAA.*tunnel of render-1|$key|")
  [ "$name" = render-1 ] || commands=$(grep ^echo <<<"$commands") # the rest was done once
  inside hub "$commands" >/dev/null
done
inside hub "$(block 'Three machines' 5 | grep 'on hub')" 2>/dev/null
for name in render-1 render-2; do
  inside "$name" "$(block 'Three machines' 5 | grep 'on render-1')" 2>/dev/null
  on "$name"
  ready "$renderer" 'render worker ready'
  up "pixart-batch-tunnel $renderer"
done
with_key='runuser -u pixart-batch -- ssh -o BatchMode=yes -o UserKnownHostsFile=/etc/pixart-batch/tunnel.hosts -i /etc/pixart-batch/tunnel.key'
see "what the tunnel's key gives besides: a shell" '*not available*' "$with_key tunnel@hub id 2>&1 || true"
see 'another port of hub' '*forwarding failed*' "$with_key -W 127.0.0.1:22 tunnel@hub 2>&1 || true"
see 'a port that it listens at there' '*remote port forwarding failed*' "$with_key -N -o ExitOnForwardFailure=yes -R 9999:127.0.0.1:22 tunnel@hub 2>&1 || true"

on hub
follow '4. A night' 1
whole tonight 24
rendered="journalctl | grep -c '\"msg\":\"image rendered\"'"
say "rendered: $(inside render-1 "$rendered") by render-1, $(inside render-2 "$rendered") by render-2"

catalog plug 40 1 2 3 4
begun plug
inside hub 'ip link set render-1 down'
say 'the plug of render-1 is pulled'
ended plug '4 jobs, 4 rendered'
inside hub 'ip link set render-1 up'
on render-1
see 'plugged in again' '*answers at 127.0.0.1:7233*' 'until pixart-batch doctor | grep "answers at"; do sleep 5; done'

on hub
catalog off 80 1 2 3 4
begun off
began=$SECONDS
down render-1
say "render-1 is off, $((SECONDS - began)) s after it was told"
see 'what it had in hand' '*the worker was told to stop before*' "pixart-batch status off | grep 'told to stop'"
down hub reboot
down render-2 reboot
for name in hub render-1 render-2; do boot "$name"; done
inside hub 'systemctl start ssh'
cables
ended off '4 jobs, 4 rendered'
whole off 4
up 'pixart-batch-temporal pixart-batch-orchestrator'
for name in render-1 render-2; do on "$name"; up "pixart-batch-tunnel $renderer"; done
for name in hub render-1 render-2; do down "$name"; done
say "all was as the document says, in $((SECONDS / 60)) min"
