#!/bin/sh
# Runs a program of the image without a container engine, as the image's user, on its root file
# system: read-only but for /tmp, no capabilities, no new privileges. The network is this machine's.
#
# It needs `unshare` and `setpriv` (util-linux), and, unless root runs it, user namespaces that are
# open to everybody. Signals reach the program itself: nothing stays in between.
#
# Usage: infra/docker/run.sh ROOT PROGRAM [ARGUMENT...]
set -eu

if [ $# -lt 2 ]; then
  sed -n 's/^# Usage: /usage: /p' "$0" >&2
  exit 2
fi
root=$(cd "$1" && pwd)
shift
user=65532
# What an engine would mount there.
mkdir -p "$root/proc"

# In the new mount namespace; the arguments follow as $@. A mount in a namespace of a user cannot be
# made read-only over flags that the outer one has set, so those are kept.
# shellcheck disable=SC2016 # expanded by the inner shell
mounts='
  mount --bind "$ROOTFS" "$ROOTFS"
  mount --rbind /proc "$ROOTFS/proc"
  mount -t tmpfs -o size=64m,mode=1777 tmpfs "$ROOTFS/tmp"
  flags=$(findmnt --noheadings --output OPTIONS --target "$ROOTFS" | tr , "\n" | grep -E "^no(suid|dev|exec|atime)$" | tr "\n" ,)
  mount -o "remount,bind,${flags}ro" "$ROOTFS"
'
ROOTFS=$root
export ROOTFS
if [ "$(id -u)" -eq 0 ]; then
  if ! unshare --mount true 2>/dev/null; then
    # Inside another container, perhaps. The user can write to nothing but /tmp and /data all the same.
    echo 'run.sh: no mount namespace can be made here: the root is a plain chroot' >&2
    unset ROOTFS
    exec setpriv --no-new-privs -- chroot --userspec="$user:$user" --groups= "$root" "$@"
  fi
  # shellcheck disable=SC2016
  exec unshare --mount --propagation private -- sh -euc "$mounts"'
    exec env --unset=ROOTFS setpriv --no-new-privs -- \
      unshare --root="$ROOTFS" --wd=/ --setuid='"$user"' --setgid='"$user"' -- "$@"' sh "$@"
fi
# shellcheck disable=SC2016
exec unshare --user --map-root-user --mount --propagation private -- sh -euc "$mounts"'
  exec env --unset=ROOTFS setpriv --no-new-privs -- \
    unshare --user --map-user='"$user"' --map-group='"$user"' --root="$ROOTFS" --wd=/ -- "$@"' sh "$@"
