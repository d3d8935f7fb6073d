#!/usr/bin/env bash
# Attacks a running `presswork serve` with requests made from its own OpenAPI document.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: infra/schemathesis/run.sh [SECONDS | --install]

Starts target/debug/presswork on a free port with a store of its own, lets schemathesis send it
valid and invalid requests for SECONDS (by default 110), and stops it. Fails on a 5xx, on an answer that the
document does not have (status, media type, headers or schema), on a path that takes an undocumented
method, and on an operation that takes a wrong credential.
The tool is installed once, from infra/schemathesis/requirements.txt, into target/schemathesis; --install
does that and no more.
HELP
}

seconds=110 install=false
case "${1-}" in
  -h | --help) usage; exit 0 ;;
  --install) install=true ;;
  '') ;;
  *[!0-9]*) usage >&2; exit 2 ;;
  *) seconds=$1 ;;
esac

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
wanted=infra/schemathesis/requirements.txt
tool=$PWD/target/schemathesis
program=target/debug/presswork
if ! cmp -s "$wanted" "$tool/installed.txt"; then
  rm -rf "$tool"
  python3 -m venv "$tool"
  "$tool/bin/pip" install --quiet --disable-pip-version-check --requirement "$wanted"
  cp "$wanted" "$tool/installed.txt"
fi

if $install; then
  exit
fi
[[ -x "$program" ]] || { printf 'error: %s is missing: run cargo build --workspace first\n' "$program" >&2; exit 1; }

scratch=$(mktemp -d)
server=
finish() {
  local status=$?
  if [[ -n "$server" ]]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  if ((status != 0)) && [[ -s "$scratch/server.log" ]]; then
    printf 'The last lines of the server:\n'
    grep -E 'ERROR|WARN|panicked' "$scratch/server.log" | tail -n 20 || true
  fi
  rm -rf "$scratch"
}
trap finish EXIT

export PRESSWORK_AUTH__ANONYMOUS=off PRESSWORK_LIMITS__ENABLED=off
# Answers that wait for something would use up the time.
export PRESSWORK_SERVER__MAX_WAIT=1s PRESSWORK_CV__SYNC_WAIT=5s
settings=(--data "$scratch/data")
key=$("$program" keys create "${settings[@]}" --tenant schemathesis --scope all 2>"$scratch/keys.log" | grep -oE 'pw_[A-Za-z0-9_-]+' | head -n 1) || {
  cat "$scratch/keys.log" >&2
  printf 'error: no API key could be made\n' >&2
  exit 1
}
"$program" serve "${settings[@]}" --listen 127.0.0.1:0 >"$scratch/server.out" 2>"$scratch/server.log" &
server=$!
url=
for _ in {1..300}; do
  url=$(grep -oE -m 1 'http://127\.0\.0\.1:[0-9]+' "$scratch/server.out" || true)
  [[ -z "$url" ]] || break
  kill -0 "$server" 2>/dev/null || break
  sleep 0.1
done
[[ -n "$url" ]] || { cat "$scratch/server.log" >&2; printf 'error: the server does not start\n' >&2; exit 1; }

# Not asked: whether everything that fits the schema is taken, and nothing else. What a CV has to hold is
# more than a schema can say, and the older routes pass over members that they do not know.
cd "$scratch" # it leaves its notes where it runs
"$tool/bin/schemathesis" --no-color run "$url/openapi.json" \
  --header "X-API-Key: $key" \
  --checks all \
  --exclude-checks negative_data_rejection,positive_data_acceptance,missing_required_header,object_level_authorization \
  --max-time "$seconds" --workers 2 --seed 7 --warnings off \
  --request-timeout 20 --continue-on-failure
kill -0 "$server" 2>/dev/null || { printf 'error: the server has died\n' >&2; exit 1; }
