#!/bin/sh
# crun for tests. It refuses a machine where cgroups of version 1 and controllers of version 2 are mixed, and it cannot set up
# rules for devices without CAP_SYS_RESOURCE. On such a machine it gets what it takes; elsewhere it is crun itself.
set -e

capabilities=$(sed -n 's/^CapEff:\t*//p' /proc/self/status)
if [ $((0x$capabilities >> 24 & 1)) -eq 0 ]; then
  for word; do
    if [ "$previous" = --bundle ]; then sed -i '/^      "devices": \[$/,/^      \],*$/d' "$word/config.json"; fi
    previous=$word
  done
fi
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then exec crun "$@"; fi
exec unshare -m sh -c 'mount -t cgroup2 none /sys/fs/cgroup && exec crun "$@"' crun "$@"
