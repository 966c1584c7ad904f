#!/bin/sh
# The story of the README, told by the program itself against its simulated Azure: a lost key, then a deleted one.
#   demo.sh BINARY [PACE]     PACE: simulated seconds per second (default 600; 0: as fast as it goes)
set -eu

binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
pace=${2:-${PACE:-600}}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() {
    printf '\n\033[1m== %s\033[0m\n' "$*" | if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then cat; else sed 's/\x1b\[[0-9;]*m//g'; fi
}

# run EXPECTED-EXIT-CODE WORD...: shows the command, runs it, and stops the demo when it ends otherwise.
run() {
    expected=$1
    shift
    printf '$ reinstate %s\n' "$*"
    code=0
    "$binary" "$@" || code=$?
    if [ "$code" != "$expected" ]; then
        echo "demo: that should have ended with exit code $expected, not $code" >&2
        exit 1
    fi
}

lost=examples/01-lost-key
world=$work/world.yaml
cp "$lost/world.yaml" "$world"

say "The estate as declared, and what happened: the key is purged, the source VM and its disk encryption set are gone"
run 0 graph -f "$lost/estate.yaml" --format mermaid
say "A plan without an order: nothing is restored that nobody ordered"
run 2 plan -f "$lost/estate.yaml" -f "$lost/policy.yaml" --world "$world" --detailed-exitcode
say "How the order would read"
run 0 activate payroll-01-dr -f "$lost/estate.yaml" --world "$world"
say "The plan with the order"
run 2 plan -f "$lost/estate.yaml" -f "$lost/policy.yaml" -f "$lost/activation.yaml" --world "$world" --detailed-exitcode
say "Carried out"
run 0 apply -f "$lost/estate.yaml" -f "$lost/policy.yaml" -f "$lost/activation.yaml" --world "$world" --world-out "$world" --pace "$pace" \
    --auto-approve --journal "$work/journal"
say "Once more: nothing to do"
run 0 plan -f "$lost/estate.yaml" -f "$lost/policy.yaml" -f "$lost/activation.yaml" --world "$world" --detailed-exitcode

deleted=examples/02-deleted-key
say "The likelier night: the key is only deleted; it is recovered, the source VM is whole again, and nothing is restored"
cp "$deleted/world.yaml" "$work/deleted.yaml"
run 2 plan -f "$deleted/estate.yaml" -f "$deleted/policy.yaml" -f "$deleted/activation.yaml" --world "$work/deleted.yaml" --detailed-exitcode
run 0 apply -f "$deleted/estate.yaml" -f "$deleted/policy.yaml" -f "$deleted/activation.yaml" --world "$work/deleted.yaml" \
    --world-out "$work/deleted.yaml" --pace "$pace" --auto-approve --journal "$work/journal-2"
run 0 drift -f "$deleted/estate.yaml" -f "$deleted/policy.yaml" -f "$deleted/activation.yaml" --world "$work/deleted.yaml"
