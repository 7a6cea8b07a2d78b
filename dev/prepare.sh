#!/bin/sh
# Installs what is missing and builds. Usage: dev/prepare.sh run|test|guest|bench
# Says what it installs; does nothing when all is there.
set -eu
cd "$(dirname "$0")/.."
purpose=${1:-run}

say() { echo "prepare: $*"; }

# 1. Debian packages, each known by a file that it brings.
want() { [ -e "$1" ] || packages="$packages $2"; }
packages=''
want /usr/bin/clang clang
want /usr/include/bpf/bpf_helpers.h libbpf-dev
want /usr/include/linux/bpf.h linux-libc-dev
[ -e /usr/include/asm ] || [ -e "/usr/include/$(uname -m)-linux-gnu/asm" ] || packages="$packages linux-libc-dev"
[ -e /sbin/ip ] || [ -e /usr/sbin/ip ] || [ -e /usr/bin/ip ] || packages="$packages iproute2"
want /usr/bin/nsenter util-linux
want /usr/bin/curl curl
want /usr/bin/dig bind9-dnsutils
want /usr/bin/cc gcc
if [ "$purpose" != run ]; then
  want /usr/sbin/nft nftables
  want /usr/sbin/conntrack conntrack
  want /usr/share/java/zookeeper.jar zookeeper
  [ -e /usr/sbin/bpftool ] || [ -e /usr/bin/bpftool ] || packages="$packages bpftool"
fi
# Guest kernels (dev/guest); they exist for this architecture only.
if [ "$(uname -m)" = x86_64 ] && { [ "$purpose" = test ] || [ "$purpose" = guest ]; }; then
  want /usr/bin/linux.uml user-mode-linux
  want /usr/bin/qemu-system-x86_64 qemu-system-x86
  want /bin/busybox busybox-static
  want /sbin/modprobe kmod
  want /usr/bin/lz4 lz4
  want /sbin/ipvsadm ipvsadm
fi
if [ -n "$packages" ]; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    say "installing Debian packages:$packages"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    # shellcheck disable=SC2086
    apt-get install -y --no-install-recommends $packages
  else
    say "missing packages:$packages (as root this script installs them)"
  fi
fi

# 2. npm packages, when the lock file is newer than what is installed.
command -v npm >/dev/null || { say 'npm is missing: install Node.js with npm first'; exit 1; }
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
  say 'installing npm packages (as package-lock.json says)'
  # Not npm ci: it refuses a lock file that was made where a registry lacks the optional packages
  # of other platforms. The packages that are there are taken from the lock file all the same.
  npm install --no-save --no-audit --no-fund --loglevel=error
fi
PATH=$PWD/node_modules/.bin:$PATH
export PATH

# 3. The native addon and its BPF programs.
command -v cargo >/dev/null || { say 'cargo is missing: install Rust first'; exit 1; }
say 'building the native addon (cargo; the first time takes a minute or two)'
sh dev/build-native.sh
say 'ready'
