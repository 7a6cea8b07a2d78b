#!/bin/busybox sh
# First program of a guest, in its initramfs: mounts the host's tree read-only under a layer in
# memory and goes on there with /run/guest/run.sh. A step that fails ends the guest, and the
# launcher shows the console. /parameters is written by initramfs.ts.
set -eu
export PATH=/bin
/bin/busybox mkdir -p /proc /sys /dev /host /layer
/bin/busybox --install -s /bin
trap 'echo "guest: init.sh failed"; poweroff -f' EXIT
mount -t proc proc /proc
mount -t devtmpfs dev /dev
. /parameters
for module in /modules/*.ko; do insmod "$module"; done

# mount_host TAG PATH TARGET MODE: what the host shares under this tag, or has at this path.
mount_host() {
  case "$KIND" in
    uml) mount -t hostfs -o "$4,$2" none "$3" ;;
    qemu) mount -t virtiofs -o "$4" "$1" "$3" ;;
  esac
}

mount_host host / /host ro
mount -t tmpfs layer /layer
mkdir /layer/upper /layer/work /layer/root
root=/layer/root
mount -t overlay -o lowerdir=/host,upperdir=/layer/upper,workdir=/layer/work overlay "$root"

cd "$root"
mkdir -p proc sys dev run tmp
mount -t proc proc proc
mount -t sysfs sys sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t bpf bpf sys/fs/bpf
mount -t devtmpfs dev dev
mkdir -p dev/pts dev/shm
mount -t devpts devpts dev/pts
mount -t tmpfs shm dev/shm
mount -t tmpfs run run
mkdir -p run/netns run/guest usr/lib/modules
cp /parameters /run.sh /command run/guest/

# So that both modprobe and the kernel's own requests find the modules of this kernel.
ln -sfn "$MODULES" "usr/lib/modules/$(uname -r)"
[ -e lib ] || ln -s usr/lib lib

if [ -n "$OUT_DIRECTORY" ]; then
  mkdir -p out
  mount_host out "$OUT_DIRECTORY" out rw
fi
umount /dev /proc
trap - EXIT
# As process 1: the kernel looks for modprobe in the root directory of this process.
exec switch_root "$root" /bin/sh /run/guest/run.sh
