#!/usr/bin/env bash
# Whether the standardwebhooks libraries for Python and JavaScript take our signatures, and we theirs.
# What is fetched stays: the second run takes seconds and needs no network.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."
folder=tests/peers/webhooks
python=target/peers/webhooks

if ! cmp -s "$folder/requirements.txt" "$python/installed.txt"; then
  rm -rf "$python"
  python3 -m venv "$python"
  "$python/bin/pip" install --quiet --disable-pip-version-check -r "$folder/requirements.txt"
  cp "$folder/requirements.txt" "$python/installed.txt"
fi
if ! cmp -s "$folder/package-lock.json" "$folder/node_modules/.presswork-lock"; then
  npm ci --prefix "$folder" --no-audit --no-fund
  cp "$folder/package-lock.json" "$folder/node_modules/.presswork-lock"
fi

# With the features of the whole workspace: for one package alone, its dependencies would be built anew.
cargo build --locked --quiet --workspace --example signature
"$python/bin/python" "$folder/check.py" target/debug/examples/signature
node "$folder/check.mjs" target/debug/examples/signature
