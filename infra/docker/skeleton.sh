#!/bin/sh
# Gives each crate, of which only the manifest is there, the smallest sources that compile: so that
# all dependencies can be built, and kept as a layer, before the sources are copied.
#
# Usage: infra/docker/skeleton.sh WORKSPACE
set -eu

if [ $# -ne 1 ]; then
  sed -n 's/^# Usage: /usage: /p' "$0" >&2
  exit 2
fi
cd "$1"
find . -mindepth 2 -name Cargo.toml -not -path './target/*' | while read -r manifest; do
  crate=$(dirname "$manifest")
  mkdir -p "$crate/src"
  [ -e "$crate/src/lib.rs" ] || : >"$crate/src/lib.rs"
  # Programs, examples and benches that the manifest names must be there for it to be read.
  sed -n 's/^path *= *"\(.*\.rs\)"$/\1/p' "$manifest" | while read -r target; do
    mkdir -p "$crate/$(dirname "$target")"
    [ -e "$crate/$target" ] || printf 'fn main() {}\n' >"$crate/$target"
  done
done
