#!/bin/sh
# Runs one tier of tests and prints its counts. Fails when a test fails, and when there was none to run.
#   run.sh unit PROGRAM...        test programs: each prints "NAME N checks, N failed"
#   run.sh valgrind PROGRAM...    the same under valgrind
#   run.sh examples BINARY DIR... every example validates, explains its plan and, where there is a world, plans as expected; then the demo,
#                                 because it is what a newcomer runs first
# With CI set a skipped test is a failed one.
set -u

tier=$1
shift
passed=0 failed=0 skipped=0 checks=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

fail() {
    failed=$((failed + 1))
    echo "FAILED: $1"
}

program() {
    if "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        line=$(grep -E '[0-9]+ checks, 0 failed$' "$log" | tail -1)
        n=$(printf '%s\n' "$line" | sed -n 's/.* \([0-9][0-9]*\) checks, .*/\1/p')
        checks=$((checks + ${n:-0}))
        if grep -q '^skipped:' "$log"; then
            grep '^skipped:' "$log"
            skipped=$((skipped + 1))
        fi
    else
        cat "$log"
        fail "$*"
    fi
}

# An example is a folder with estate.yaml; activation.yaml, policy.yaml and world.yaml are optional. expected-plan.txt is what
# plan prints about its world, expected-forecast.txt what forecast prints about it before anybody ordered anything.
example() {
    binary=$1 folder=${2%/}
    set -- -f "$folder/estate.yaml"
    for part in activation policy; do
        [ -f "$folder/$part.yaml" ] && set -- "$@" -f "$folder/$part.yaml"
    done
    if "$binary" validate "$@" >"$log" 2>&1; then passed=$((passed + 1)); else cat "$log"; fail "validate $folder"; fi
    checks=$((checks + 1))
    [ -f "$folder/world.yaml" ] || return 0
    checks=$((checks + 1))
    if ! "$binary" plan "$@" --all --world "$folder/world.yaml" >"$log" 2>"$log.err"; then
        cat "$log" "$log.err"
        fail "plan $folder"
    elif [ -f "$folder/expected-plan.txt" ] && ! diff -u "$folder/expected-plan.txt" "$log"; then
        fail "plan $folder: not the expected plan"
    else
        passed=$((passed + 1))
    fi
    example_forecast "$binary" "$folder"
    example_carried_out "$binary" "$folder" "$@"
    rm -f "$log.err" "$log.world"
}

# Exit 2: all the examples begin with something lost.
example_forecast() {
    [ -f "$2/expected-forecast.txt" ] || return 0
    checks=$((checks + 1))
    "$1" forecast -f "$2/estate.yaml" --world "$2/world.yaml" >"$log" 2>"$log.err"
    if [ $? != 2 ]; then
        cat "$log" "$log.err"
        fail "forecast $2"
    elif ! diff -u "$2/expected-forecast.txt" "$log"; then
        fail "forecast $2: not the expected one"
    else
        passed=$((passed + 1))
    fi
}

# Applied it ends as declared, and then there is nothing left to do; or, with expected-end.txt, in the words of that file and with
# what a person has to do (exit 3).
example_carried_out() {
    binary=$1 folder=$2 end=0 left=0
    shift 2
    checks=$((checks + 2))
    [ -f "$folder/expected-end.txt" ] && end=3 left=2
    "$binary" apply "$@" --world "$folder/world.yaml" --world-out "$log.world" --journal none --auto-approve >"$log" 2>&1
    if [ $? = $end ] && { [ $end = 0 ] || grep -qF -f "$folder/expected-end.txt" "$log"; }; then
        passed=$((passed + 1))
    else
        cat "$log"
        fail "apply $folder"
        return 0
    fi
    "$binary" plan "$@" --world "$log.world" --detailed-exitcode >"$log" 2>&1
    if [ $? = $left ]; then
        passed=$((passed + 1))
    else
        cat "$log"
        fail "plan after apply $folder"
    fi
}

case $tier in
unit)
    for test in "$@"; do program "$test"; done ;;
valgrind)
    # The contract's thousand interrupted runs are left to AddressSanitizer.
    export REINSTATE_SAMPLE=0
    for test in "$@"; do
        program valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite "$test"
    done ;;
examples)
    binary=$1
    shift
    for folder in "$@"; do [ -f "$folder/estate.yaml" ] && example "$binary" "$folder"; done
    program sh "$(dirname "$0")/demo.sh" "$binary" 0 ;;
*)
    echo "run.sh: no tier $tier" >&2
    exit 2 ;;
esac

echo "$tier: $passed passed, $failed failed, $skipped skipped, $checks checks"
[ -z "${CI:-}" ] || failed=$((failed + skipped))
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
