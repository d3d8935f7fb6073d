#!/bin/sh
# Assembles the root file system of the image: one program with three names, the libraries that it
# loads, and the few files that these read. The image is this and nothing else, and so is the root
# in which a test runs the program.
#
# Usage: infra/docker/rootfs.sh PROGRAM DESTINATION
set -eu

if [ $# -ne 2 ]; then
  sed -n 's/^# Usage: /usage: /p' "$0" >&2
  exit 2
fi
program=$1 root=$2
user=65532

mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/data" "$root/tmp" "$root/var/lib/dpkg/status.d"
cp "$program" "$root/usr/local/bin/presswork"
chmod 755 "$root/usr/local/bin/presswork"
for name in worker api-shim; do
  ln -s presswork "$root/usr/local/bin/$name"
done

# "name => path (address)" and "path (address)": the loader itself has no arrow.
libraries=$(ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }')
if [ -z "$libraries" ]; then
  echo "error: $program loads no library: is it a program for this machine?" >&2
  exit 1
fi
if ldd "$program" | grep -q 'not found'; then
  echo "error: a library of $program is not installed here" >&2
  exit 1
fi
for library in $libraries; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
  # What a scanner of images reads, so that it knows of which package and version each library is.
  if command -v dpkg-query >/dev/null; then
    package=$(dpkg-query --search "$(readlink -f "$library")" 2>/dev/null | cut -d: -f1 | head -n 1)
    if [ -n "$package" ]; then
      dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$package"
    fi
  fi
done

# Whom to trust: models, storage and webhooks are reached by TLS.
if [ ! -s /etc/ssl/certs/ca-certificates.crt ]; then
  echo 'error: /etc/ssl/certs/ca-certificates.crt is missing: install ca-certificates' >&2
  exit 1
fi
cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
printf 'root:x:0:0::/:/none\npresswork:x:%s:%s::/data:/none\n' "$user" "$user" >"$root/etc/passwd"
printf 'root:x:0:\npresswork:x:%s:\n' "$user" >"$root/etc/group"

# The only places to write to; a deployment mounts something over them, or leaves the root read-only.
chmod 1777 "$root/tmp"
chmod 750 "$root/data"
if [ "$(id -u)" -eq 0 ]; then
  chown "$user:$user" "$root/data"
fi
