# To be sourced by the shell tests: counts checks, one line each, and keeps a folder for the test's files.
#   checks_begin NAME     checks_end     ok WHAT     no WHAT [FILE...]     expect WHAT COMMAND...
set -u

checks_begin() {
    test_name=$1 passed=0 failed=0
    dir=$(mktemp -d) || exit 1
    trap 'checks_clean' EXIT
    trap 'exit 1' HUP INT TERM
}

# Ends what this test started and has not yet ended; `started` holds process ids.
started=
checks_clean() {
    for pid in $started; do
        kill -KILL "$pid" 2>/dev/null
    done
    rm -rf "$dir"
}

checks_end() {
    echo "$test_name: $passed passed, $failed failed"
    [ "$failed" = 0 ] && [ "$passed" -gt 0 ]
}

ok() {
    passed=$((passed + 1))
    echo "ok: $1"
}

# The files show what there was instead.
no() {
    failed=$((failed + 1))
    echo "FAILED: $1"
    shift
    for shown; do
        [ -s "$shown" ] && sed "s|^|    |" "$shown" | tail -n 12 | cut -c 1-400
    done
}

expect() {
    what=$1
    shift
    if "$@"; then ok "$what"; else no "$what" "$dir/stdout" "$dir/stderr"; fi
}

# The number of lines of a file that hold a pattern; 0 also when there is no such file.
count() {
    if [ -f "$2" ]; then grep -cE -- "$1" "$2" || [ $? = 1 ]; else echo 0; fi
}

# Waits for a command to succeed: ten minutes at most, which only what hangs takes, on however busy a machine.
within() {
    tenths=6000
    until "$@"; do
        tenths=$((tenths - 1))
        [ "$tenths" -gt 0 ] || return 1
        sleep 0.1
    done
}

running() {
    kill -0 "$1" 2>/dev/null
}

ended() {
    ! running "$1"
}

# sim_start WORLD SPEED: a simulated Azure of its own process. Sets sim_pid; $dir/cloud.yaml is for its clients.
sim_start() {
    rm -f "$dir/cloud.yaml" "$dir/sim-world.yaml" "$dir/sim-record"
    "$binary" sim --world "$1" --speed "$2" --write-cloud "$dir/cloud.yaml" --world-out "$dir/sim-world.yaml" \
        --record "$dir/sim-record" >"$dir/sim-stdout" 2>"$dir/sim-stderr" &
    sim_pid=$!
    started="$started $sim_pid"
    within test -f "$dir/cloud.yaml" && return 0
    no "the simulated Azure starts" "$dir/sim-stderr"
    return 1
}

# A shell begins what runs beside it with the interrupt ignored, and a run that is begun so stays deaf to it.
interruptible() {
    exec env --default-signal=INT "$@"
}

sim_port() {
    sed -n 's/.*"arm": "[^"]*:\([0-9]*\)".*/\1/p' "$dir/cloud.yaml"
}

sim_stop() {
    kill -TERM "$sim_pid" 2>/dev/null
    wait "$sim_pid"
}

sign_in() {
    AZURE_TENANT_ID=0f0f0f0f-0000-4000-8000-000000000001
    AZURE_CLIENT_ID=0f0f0f0f-0000-4000-8000-00000000000b
    AZURE_CLIENT_SECRET=$1
    export AZURE_TENANT_ID AZURE_CLIENT_ID AZURE_CLIENT_SECRET
}

# Copies the example's world with a fault script in place of its empty one.
world_with() {
    sed "s#^  faults: \[\]#  faults: [$1]#" "$example/world.yaml" >"$dir/world.yaml"
    cmp -s "$dir/world.yaml" "$example/world.yaml" && no "the fault script is in the world"
}
