#!/usr/bin/env bash
# Becomes a machine of trial.sh, in new namespaces: this system's systemd as process 1, on an overlay of this system's root. It cannot write to this system, and
# reaches only what is wired to it.
set -euo pipefail
name=$1
mine=$place/$name
mkdir -p "$mine"/{upper,work,root}

# What is installed on the machine `image`, all others have.
layers=/
[ "$name" = image ] || layers=$place/image/upper:/
mount -t overlay overlay -o "lowerdir=$layers,upperdir=$mine/upper,workdir=$mine/work" "$mine/root"
cd "$mine/root"
mkdir -p old mnt/pixart-batch.git srv/pixart-batch
mount --bind "$place/pixart-batch.git" mnt/pixart-batch.git
[ ! -d "$place/store" ] || mount --bind "$place/store" srv/pixart-batch # what the three machines share
if [ "$name" = image ]; then
  # None of this system's own services and mounts.
  rm -rf etc/systemd/system/*.wants
  : >etc/fstab
fi
echo "$name" | tee etc/hostname >/proc/sys/kernel/hostname
printf '127.0.0.1 localhost\n127.0.1.1 %s\n10.77.0.1 hub\n' "$name" >etc/hosts

mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
for folder in run dev; do mount -t tmpfs -o mode=755 tmpfs "$folder"; done
mount -t tmpfs -o mode=1777 tmpfs tmp
for device in null zero full random urandom tty; do
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mkdir -m 1777 dev/shm
mkdir dev/pts
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ip link set lo up
pivot_root . old
umount --lazy /old
exec env -i container=trial PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target --log-target=journal --show-status=no
