#!/bin/sh
# Runs the examples and every scenario with their exchanges recorded, and has Microsoft's validator judge each exchange, as
# published and with closed enumerations.
#   run-oav.sh BINARY SCENARIO-RUNNER [RECORD.jsonl...]      further records are judged along
# REINSTATE_SPECS, or azure/specs in REINSTATE_SHARED (default: shared/ beside the checkout), holds the specifications.
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
absolute() { printf '%s/%s\n' "$(cd "$(dirname "$1")" && pwd)" "$(basename "$1")"; }
binary=$(absolute "$1")
scenario=$(absolute "$2")
shift 2

specs=${REINSTATE_SPECS:-${REINSTATE_SHARED:-$root/../shared}/azure/specs}
if [ ! -d "$specs/specification" ]; then
    echo "skipped: oav: no specifications (set REINSTATE_SPECS)"
    echo "oav: 0 passed, 0 failed"
    [ -z "${CI:-}" ]
    exit
fi
[ -d "$here/node_modules/oav" ] || (cd "$here" && npm ci --no-audit --no-fund --loglevel=error)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/records"

# NAME EXPECTED-EXIT-CODE WORD...: one command against the example's world, which goes on from run to run.
run() {
    name=$1 expected=$2
    shift 2
    code=0
    "$binary" "$@" --world "$work/world.yaml" --record "$work/records/example-$name.jsonl" >"$work/log" 2>&1 || code=$?
    if [ "$code" != "$expected" ]; then
        cat "$work/log"
        echo "oav: example $name: $1 ended with $code, expected $expected"
        echo "oav: 0 passed, 1 failed"
        exit 1
    fi
}

example() {
    folder=$1 story=$(basename "$1") end=0 left=0
    # A person's act is left in the end.
    [ ! -f "$folder/expected-end.txt" ] || { end=3 left=2; }
    cp "$folder/world.yaml" "$work/world.yaml"
    set -- -f "$folder/estate.yaml"
    for part in policy activation; do
        [ ! -f "$folder/$part.yaml" ] || set -- "$@" -f "$folder/$part.yaml"
    done
    run "$story" 2 plan "$@" --detailed-exitcode
    run "$story" 2 drift "$@"
    run "$story" "$end" apply "$@" --auto-approve --journal "$work/journal-$story" --world-out "$work/world.yaml"
    run "$story" "$left" plan "$@" --detailed-exitcode
    run "$story" "$left" drift "$@"
}

for folder in "$root"/examples/*/; do
    [ ! -f "$folder/world.yaml" ] || example "$folder"
done

for rows in "$root/tests/scenario" "$here/wire"; do
    if ! REINSTATE_KEEP_RECORDS="$work/records" "$scenario" "$binary" "$root" "$rows" >"$work/log" 2>&1; then
        sed 's/^/    /' "$work/log"
        echo "oav: scenarios of $rows failed: what they recorded is not judged"
        echo "oav: 0 passed, 1 failed"
        exit 1
    fi
    grep -E '^scenario: .* passed' "$work/log"
done

# shellcheck disable=SC2034 # judge takes it
JUDGE=$here/judge.mjs
. "$here/judged.sh"
passed=0 failed=0
node "$here/judge-check.mjs" "$specs" "$work/records/N-30-lost-key.jsonl" || failed=1
for mode in "" --closed; do
    # shellcheck disable=SC2086 # the mode is one word or none
    judge "$work/verdict" $mode --all-used "$specs" "$work"/records/*.jsonl "$@"
    if [ -z "$mode" ] || [ "$violations" != 0 ]; then cat "$work/verdict"; else tail -1 "$work/verdict"; fi
    passed=$((passed + judged)) failed=$((failed + violations))
done
echo "oav: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
