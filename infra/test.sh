#!/usr/bin/env bash
# Checks everything, the same way on a laptop and in CI. The last line counts the tests of all runs.
set -euo pipefail

usage() {
  cat <<'HELP'
Usage: infra/test.sh [--quick | --help]

Installs what is missing, then runs, and stops at the first step that fails:
  tools      compiler components; cc, git, qpdf, poppler, python3-venv and CJK fonts by apt-get (as root or by sudo)
  fetch      the crates of Cargo.lock; everything after the next step works offline
  azurite    the emulator of Azure Storage, by npm from the lock file in infra/azurite
  schemathesis  the tester of the API, by pip from the lock file in infra/schemathesis
  format     cargo fmt --check
  clippy     all targets, warnings denied
  build      programs and tests, dev profile: the tests start these programs
  tests      cargo nextest where it is installed, cargo test otherwise: the same tests
  webhook peers  the libraries for Python and JavaScript, by pip and npm, check our signatures
  doc tests
  docs       cargo doc, warnings denied
  API against its document  a minute of schemathesis, beside the steps of the documentation;
             longer: infra/schemathesis/run.sh SECONDS
Licences, banned crates and the dependency arrows are tests: tests/tests/architecture.

  --quick    format, clippy and the unit tests only
HELP
}

quick=false
case "${1-}" in
  '') ;;
  --quick) quick=true ;;
  -h | --help) usage; exit 0 ;;
  *) usage >&2; exit 2 ;;
esac
if (($# > 1)); then
  usage >&2
  exit 2
fi

cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Nothing below may wait for an answer.
exec </dev/null

scratch=$(mktemp -d)
step_name=start
passed=0 failed=0 skipped=0
# The process of the step that runs beside others; it leads a group of its own.
beside=

finish() {
  local status=$?
  if [[ -n "$beside" ]]; then
    # With all that it has started.
    kill -- "-$beside" 2>/dev/null || true
    wait "$beside" 2>/dev/null || true
  fi
  rm -rf "$scratch"
  if ((status == 0)); then
    printf '\nAll steps passed in %d s.\n' "$SECONDS"
  else
    printf '\nFAILED: step "%s", exit status %d, after %d s in all.\n' "$step_name" "$status" "$SECONDS"
  fi
  printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
}
trap finish EXIT

fail() {
  printf 'error: %s\n' "$*" >&2
  exit 1
}

step() { # step NAME COMMAND...
  step_name=$1
  shift
  local start=$SECONDS
  printf '\n==> %s\n' "$step_name"
  "$@"
  printf '    %s: ok, %d s\n' "$step_name" "$((SECONDS - start))"
}

install_packages() {
  local -a as_root=()
  if ((EUID != 0)); then
    as_root=(sudo -n)
  fi
  if ! command -v apt-get >/dev/null || { ((EUID != 0)) && ! sudo -n true 2>/dev/null; }; then
    fail "missing, and not mine to install here: $* (Debian's names). Install them and run this again."
  fi
  printf 'installing %s\n' "$*"
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"
}

install_tools() {
  local -a missing=()
  local pair
  # command:package
  for pair in cc:build-essential git:git pdftotext:poppler-utils qpdf:qpdf setpriv:util-linux; do
    command -v "${pair%%:*}" >/dev/null || missing+=("${pair#*:}")
  done
  # Chinese, Japanese and Korean come from fonts that are given at run time; these are the ones tested with.
  [[ -e /usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc ]] || missing+=(fonts-noto-cjk)
  # Debian parts it from Python: schemathesis gets an environment of its own.
  python3 -c 'import ensurepip, venv' 2>/dev/null || missing+=(python3 python3-venv)
  # The image takes them along.
  [[ -s /etc/ssl/certs/ca-certificates.crt ]] || missing+=(ca-certificates)
  if ((${#missing[@]} > 0)); then
    install_packages "${missing[@]}"
  fi

  command -v cargo >/dev/null || fail 'cargo is missing: install rustup (https://rustup.rs) and run this again.'
  if ! cargo --version >/dev/null 2>&1; then
    rustup toolchain install
  fi
  if ! cargo fmt --version >/dev/null 2>&1 || ! cargo clippy --version >/dev/null 2>&1; then
    rustup component add rustfmt clippy
  fi
  cargo --version
  # Not installed when it is missing: compiling it takes longer than it saves.
  cargo nextest --version 2>/dev/null || printf 'cargo-nextest is not installed: cargo test takes its place\n'
}

install_azurite() {
  local folder=infra/azurite major
  command -v npm >/dev/null || fail 'npm is missing: install Node.js 20 or newer and run this again.'
  major=$(node --print 'process.versions.node.split(".")[0]')
  ((major >= 20)) || fail "this is Node.js $major: install version 20 or newer and run this again."
  # npm ci begins by deleting what is there, so it is spared where nothing has changed.
  if ! cmp -s "$folder/package-lock.json" "$folder/node_modules/.presswork-lock"; then
    npm ci --prefix "$folder" --no-audit --no-fund
    cp "$folder/package-lock.json" "$folder/node_modules/.presswork-lock"
  fi
}

# A key in the developer's environment must not be spent by a test, nor his settings change its outcome.
forget_settings() {
  local name
  for name in $(compgen -e); do
    case "$name" in
      OPENAI_* | OTEL_* | AZURE_* | AzureWebJobsStorage | CV_* | PRESSWORK_* | *_CONNECTION_STRING | RATE_LIMIT_* | \
        CORS_ORIGINS | ENABLE_TELEMETRY | ENVIRONMENT | HTTP_TIMEOUT | JWT_SECRET_KEY | LOG_FORMAT | LOG_LEVEL | \
        MAX_DOCUMENT_SIZE | PDF_METRICS_SAMPLE | RUST_LOG | SECRET_KEY)
        unset "$name"
        ;;
    esac
  done
  # The tests talk to servers on this machine: no proxy may come between.
  export NO_PROXY="${NO_PROXY:+$NO_PROXY,}127.0.0.1,localhost"
  export no_proxy="$NO_PROXY"
}

check_format() {
  cargo fmt --all -- --check --files-with-diff || fail 'these files are not formatted: run cargo fmt --all'
}

# Adds the numbers of a runner's closing lines, those that match PATTERN, to the totals.
count() { # count PATTERN LOG
  local numbers p f s
  numbers=$(awk -v pattern="$1" '
    { gsub(/\033\[[0-9;]*m/, "") }
    $0 ~ pattern {
      found = 1
      while (match($0, /[0-9]+ (passed|failed|timed out|exec failed|skipped|ignored|filtered out)/)) {
        part = substr($0, RSTART, RLENGTH)
        $0 = substr($0, RSTART + RLENGTH)
        number = part + 0
        sub(/^[0-9]+ /, "", part)
        if (part == "passed") passed += number
        else if (part == "skipped" || part == "ignored" || part == "filtered out") skipped += number
        else failed += number
      }
    }
    END { if (found) print passed + 0, failed + 0, skipped + 0 }
  ' "$2")
  if [[ -z "$numbers" ]]; then
    return 1
  fi
  read -r p f s <<<"$numbers"
  passed=$((passed + p)) failed=$((failed + f)) skipped=$((skipped + s))
}

# Runs a test command, shows its output and counts its tests.
run_counted() { # run_counted PATTERN COMMAND...
  local pattern=$1 log="$scratch/tests.log" status=0
  shift
  "$@" 2>&1 | tee "$log" || status=$?
  if ! count "$pattern" "$log" && ((status == 0)); then
    fail "no closing line of the test runner found: $*"
  fi
  return "$status"
}

run_tests() { # run_tests TARGET...
  # Most tests of the whole system wait, for a lease or a deadline to pass: two for each core.
  local at_once
  at_once=$((2 * $(nproc)))
  if cargo nextest --version >/dev/null 2>&1; then
    run_counted '^ *Summary [[]' cargo nextest run --locked --workspace --test-threads "$at_once" "$@"
  else
    run_counted '^test result: ' \
      env RUST_TEST_THREADS="$at_once" cargo test --locked --workspace --no-fail-fast "$@"
  fi
  if ((passed == 0)); then
    fail 'no test ran'
  fi
}

# Waits for what runs beside, and shows its output.
end_beside() { # end_beside LOG
  local status=0
  wait "$beside" || status=$?
  beside=
  cat "$1"
  return "$status"
}

forget_settings
if [[ -n "${CI-}" ]]; then
  # Used once, so incremental state would only be written; and a panic names its line without tables of all lines.
  export CARGO_INCREMENTAL=0 CARGO_PROFILE_DEV_DEBUG=0
fi
if [[ -t 1 ]]; then
  # The runners write to a pipe here, and would drop their colours.
  export CARGO_TERM_COLOR=always
fi

step tools install_tools
step fetch cargo fetch --locked
step azurite install_azurite
step schemathesis infra/schemathesis/run.sh --install
export CARGO_NET_OFFLINE=true
step format check_format
step clippy cargo clippy --locked --workspace --all-targets -- -D warnings

if $quick; then
  step 'unit tests' run_tests --lib --bins
  exit
fi

step build cargo build --locked --workspace --lib --bins --tests
step tests run_tests --lib --bins --tests
step 'webhook peers' tests/peers/webhooks/run.sh
# It takes a minute by the clock, and leaves a core to what compiles.
set -m
infra/schemathesis/run.sh 50 >"$scratch/api.log" 2>&1 &
beside=$!
set +m
step 'doc tests' run_counted '^test result: ' cargo test --locked --workspace --doc --no-fail-fast
step docs env RUSTDOCFLAGS='-D warnings' cargo doc --locked --workspace --no-deps
step 'API against its document' end_beside "$scratch/api.log"
