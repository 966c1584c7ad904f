#!/bin/sh
# The story of the README, told by the program itself against its simulated Azure: a lost key, then a deleted one.
#   demo.sh BINARY [PACE]     PACE: simulated seconds per second (default 600; 0: as fast as it goes)
# Every command's exit code is checked: the demo fails where the story would.
set -eu

binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
pace=${2:-${PACE:-600}}
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() {
    if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then printf '\n\033[1m== %s\033[0m\n' "$*"; else printf '\n== %s\n' "$*"; fi
}

# run EXPECTED-EXIT-CODE WORD...: shows the command, runs it, and stops the demo when it ends otherwise.
run() {
    expected=$1
    shift
    printf '$ reinstate %s\n' "$*" | sed "s|$work/||g"
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
estate="-f $lost/estate.yaml -f $lost/policy.yaml"
ordered="$estate -f $lost/activation.yaml"
# The words of these lists are options: they are meant to be split.
# shellcheck disable=SC2086
{
    say "1. What is declared, and what happened: the key is purged since its retention lapsed, its VM and its disk encryption set are gone"
    run 0 validate $estate
    run 2 drift $estate --world "$world"

    say "   Is it restorable, by which way, how long would that take? From reads alone"
    run 2 forecast $estate --world "$world"

    say "2. A plan without an order: the lost key is drift, and nothing is restored that nobody ordered"
    run 2 plan $estate --world "$world" --detailed-exitcode
    say "   How the order would read"
    run 0 activate payroll-01-dr $estate --world "$world"
    say "   The plan with the order: every step, why, what it changes, how long it takes, what nobody has verified on Azure"
    run 2 plan $ordered --world "$world" --detailed-exitcode

    say "3. Carried out. The first restore job fails: that is how Azure Backup hands out the key"
    run 0 apply $ordered --world "$world" --world-out "$world" --pace "$pace" --auto-approve --journal "$work/journal"

    say "4. Once more: nothing to do"
    run 0 plan $ordered --world "$world" --detailed-exitcode
    say "   Somebody removes a grant; drift finds just that, says who lost what and what it breaks, and apply heals it"
    run 0 sim --world "$world" --world-out "$world" --play $lost/scenarios/grant-removed.yaml
    run 2 drift $ordered --world "$world"
    run 0 apply $ordered --world "$world" --world-out "$world" --pace "$pace" --auto-approve --journal "$work/journal"
    say "   The restored VM is deleted: the order was carried out, so nothing is restored again"
    run 0 sim --world "$world" --world-out "$world" --play $lost/scenarios/vm-removed.yaml
    run 0 apply $ordered --world "$world" --world-out "$world" --pace "$pace" --auto-approve --journal "$work/journal"

    deleted=examples/02-deleted-key
    estate="-f $deleted/estate.yaml -f $deleted/policy.yaml -f $deleted/activation.yaml"
    world=$work/deleted.yaml
    cp "$deleted/world.yaml" "$world"
    say "5. The likelier night: the key is only soft-deleted; it is recovered, the source VM is whole again, and nothing is restored"
    run 2 plan $estate --world "$world" --detailed-exitcode
    run 3 apply $estate --world "$world" --world-out "$world" --pace "$pace" --auto-approve --journal "$work/journal"
    say "   The machine still stands: a person starts it, as the last lines say, and then all is as declared"
    run 0 sim --world "$world" --world-out "$world" --play $deleted/scenarios/vm-started.yaml
    run 0 drift $estate --world "$world"
}
say "Told. The journal of the first night has $(wc -l <"$work/journal") lines; a rehearsal, not proof."
