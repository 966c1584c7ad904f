#!/bin/sh
# Microsoft's JavaScript SDKs against the simulated Azure: every service they know of it, the recovery of examples/01-lost-key by
# hand, and the world that apply leaves behind.
#   run-sdk.sh BINARY
# Every exchange is judged by Microsoft's validator as well, or with REINSTATE_KEEP_RECORDS=DIR kept there for whoever judges.
# With CI set, missing packages or specifications are a failure.
set -eu

[ $# = 1 ] && [ -x "$1" ] || { echo "run-sdk.sh BINARY" >&2; exit 2; }
binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
specs=${REINSTATE_SPECS:-${REINSTATE_SHARED:-$root/../shared}/azure/specs}
[ ! -d "$specs" ] || specs=$(cd "$specs" && pwd)
cd "$root/tests/conformance"

missing() {
    echo "skipped: sdk: $1"
    [ -z "${CI:-}" ] || exit 1
    exit 0
}

command -v node >/dev/null || missing "there is no node"
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || missing "node is older than 20"
if ! [ -d node_modules/@azure/keyvault-keys ]; then
    npm ci --no-audit --no-fund --silent || missing "the packages cannot be installed"
fi
if [ -n "${REINSTATE_KEEP_RECORDS:-}" ]; then
    exec node sdk/run.mjs "$binary"
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# shellcheck disable=SC2034 # judge takes it
JUDGE=judge.mjs
. ./judged.sh
code=0
REINSTATE_KEEP_RECORDS=$work node sdk/run.mjs "$binary" >"$work/counts" || code=$?
# The last line counts; without it nobody knows what was tried.
grep -qE '^sdk: [0-9]+ passed, [0-9]+ failed$' "$work/counts" || echo "sdk: 0 passed, 1 failed" >>"$work/counts"
sed '$d' "$work/counts"
failed=$(sed -nE '$s/.* ([0-9]+) failed$/\1/p' "$work/counts")
if [ "$code" != 0 ] && [ "$failed" = 0 ]; then
    echo "sdk: the clients ended with $code, although their last line names no failure"
    failed=1
fi
if [ "$failed" != 0 ]; then
    echo "sdk: failed: what was exchanged is not judged"
elif [ -d "$specs/specification" ]; then
    for mode in "" --closed; do
        # shellcheck disable=SC2086 # the mode is one word or none
        judge "$work/verdict" $mode "$specs" "$work"/*.jsonl
        violations_of "$work/verdict"
        tail -1 "$work/verdict"
        failed=$((failed + violations))
    done
else
    echo "skipped: sdk: no specifications to judge the exchanges by (set REINSTATE_SPECS)"
    [ -z "${CI:-}" ] || failed=1
fi
tail -1 "$work/counts" | awk -v failed="$failed" '{ $4 = failed; print }'
[ "$failed" = 0 ]
