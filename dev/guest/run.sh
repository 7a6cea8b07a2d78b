#!/bin/sh
# Second program of a guest: runs the command, then writes the end mark with its exit code behind
# the last byte of both outputs. The launcher waits for the marks and ends the guest.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
. /run/guest/parameters
ip link set lo up
# Node and the daemon keep many files open; the default of a bare kernel is 1024.
ulimit -n 20000

# The command gets pipes, as from any parent: the ports are terminals in one kind of guest and can be
# opened only once in the other.
copy() {
  mkfifo "/run/guest/$1"
  tries=0
  until [ -e "$2" ]; do
    tries=$((tries + 1))
    if [ $tries -gt 100 ]; then
      echo "guest: there is no $2"
      poweroff -f
    fi
    sleep 0.05
  done
  case "$KIND" in uml) stty -F "$2" raw -echo ;; esac
  cat <"/run/guest/$1" >"$2" &
}
copy out "$OUT_PORT"
copy err "$ERR_PORT"
exec 8>/run/guest/out 9>/run/guest/err

sh /run/guest/command </dev/null >&8 2>&9 8>&- 9>&-
code=$?
sync
printf '%s %d\n' "$MARK" "$code" >&8
printf '%s %d\n' "$MARK" "$code" >&9
sleep 30
poweroff -f
