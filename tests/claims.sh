#!/bin/sh
# At most one pass and one restore, whoever runs when: real processes against one served simulated Azure.
#   claims.sh BINARY      ROUNDS: rounds of eight processes of which some are killed (3); SPEED of the world's clock (150);
#                         OFFSETS: simulated seconds between two runs; SEED of the pauses
# How long a process takes decides only who comes first; what is counted at the end is the same.
set -u

binary=$(realpath "$1") || exit 2
cd "$(dirname "$0")/.." || exit 2
dir=$(mktemp -d) || exit 2
speed=${SPEED:-150} passed=0 failed=0 server='' children=''
trap 'leave' EXIT
trap 'exit 1' HUP INT TERM
export AZURE_TENANT_ID=0f0f0f0f-0000-4000-8000-000000000001 AZURE_CLIENT_ID=0f0f0f0f-0000-4000-8000-00000000000b
export AZURE_CLIENT_SECRET=sim-client-secret
example=examples/01-lost-key
manifests=
for m in "$example"/*.yaml; do
    grep -q '^kind: World' "$m" || manifests="$manifests -f $m"
done

# The process ids of all that descends from these, and their own.
with_descendants() {
    ps -A -o pid= -o ppid= | awk -v roots="$*" '
        { parent[$1] = $2 }
        END { n = split(roots, r, " "); for (i = 1; i <= n; i++) wanted[r[i]] = 1
              do { more = 0; for (p in parent) if (!(p in wanted) && parent[p] in wanted) wanted[p] = more = 1 } while (more)
              for (p in wanted) print p }'
}

# Children first, then the folder they write into: what still writes there would only make noise.
leave() {
    # shellcheck disable=SC2046,SC2086 # lists of numbers
    [ -z "$server$children" ] || kill -9 $(with_descendants $server $children) 2>/dev/null
    wait 2>/dev/null
    rm -rf "$dir"
}

check() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "claims: $1: $2, expected $3"
        tail -n 4 "$dir"/*.err
    fi
}

serve() {
    rm -rf "${dir:?}"/*
    sed 's/exportDuration: [0-9a-z]*/exportDuration: 4m/; s/restoreDuration: [0-9a-z]*/restoreDuration: 5m/' "$example/world.yaml" >"$dir/one.yaml"
    "${1:-cat}" "$dir/one.yaml" >"$dir/world.yaml"
    "$binary" sim --world "$dir/world.yaml" --world-out "$dir/live" --write-cloud "$dir/cloud" --speed "$speed" >"$dir/sim.out" 2>&1 &
    server=$!
    while [ ! -s "$dir/sim.out" ] && kill -0 "$server" 2>/dev/null; do sleep 0.1; done
}

# Two operators with a staging account each: the world has a second one like the first, and "second" names it in its documents.
two_accounts() {
    awk '/storageAccounts\/stpayrolldr$/ { copy = $0; gsub(/stpayrolldr/, "stpayrolltwo", copy); print; in_it = 1; next }
         in_it && /^      / { print; copy = copy "\n" $0; next }
         in_it { print copy; in_it = 0 }
         { print }
         /Storage Blob Data Reader.*stpayrolldr/ { gsub(/stpayrolldr/, "stpayrolltwo"); print }' "$1"
}

serve_end() {
    kill "$server" 2>/dev/null
    wait "$server" 2>/dev/null
    server=''
}

# run NAME COMMAND...
run() {
    name=$1
    shift
    # shellcheck disable=SC2086
    exec "$binary" "$@" $manifests --cloud "$dir/cloud" --auto-approve --journal none >"$dir/$name.out" 2>"$dir/$name.err"
}

jobs_of() {
    jq --arg type "$1" '[.spec.jobs[]? | select(.properties.extendedInfo.propertyBag."Job Type" == $type)] | length' "$dir/live"
}

count_jobs() {
    check "$1: passes" "$(jobs_of 'Recover disks')" 1
    check "$1: restores" "$(jobs_of 'Recover VM to an alternate location')" 1
}

# pair OFFSET COMMAND...: an apply, and COMMAND so many simulated seconds after it
pair() {
    offset=$1
    shift
    serve
    (run first apply) &
    first=$!
    children=$first
    sleep "$(awk "BEGIN { print $offset / $speed }")" &
    # A shell that waits hears an interruption at once.
    wait $!
    (run second "$@") &
    second=$!
    children="$first $second"
    wait "$first"
    check "apply, $* $offset s later: the first" $? 0
    wait "$second"
    check "apply, $* $offset s later: the second" $? 0
    children=''
    serve_end
    count_jobs "apply, $* $offset s later"
}

# apart OFFSET: as pair, with a staging account each, so that their claims do not meet. Azure refuses the second trigger, and that run
# adopts the job of the first.
apart() {
    serve two_accounts
    mkdir "$dir/two"
    for m in "$example"/*.yaml; do
        grep -q '^kind: World' "$m" || sed 's/stpayrolldr/stpayrolltwo/' "$m" >"$dir/two/${m##*/}"
    done
    (run first apply) &
    first=$!
    children=$first
    sleep "$(awk "BEGIN { print $1 / $speed }")" &
    wait $!
    (manifests="-f $dir/two" run second apply) &
    second=$!
    children="$first $second"
    wait "$first"
    check "two accounts, $1 s apart: the first" $? 0
    wait "$second"
    check "two accounts, $1 s apart: the second" $? 0
    children=''
    serve_end
    count_jobs "two accounts, $1 s apart"
}

random() {
    seed=$(awk "BEGIN { srand(${seed:-${SEED:-8}}); print int(rand() * 1000000) }")
    echo $((seed % $1))
}

# What killed runs left behind: whoever looks afterwards takes claims without a job over, and the order is carried out once.
finish() {
    take=''
    for _ in 1 2 3 4; do
        # shellcheck disable=SC2086
        (run last apply $take)
        code=$?
        claim=$(sed -n 's/.*--take-over \([0-9a-f-]*\)=.*/\1/p' "$dir/last.out" | head -n 1)
        if [ "$code" != 3 ] || [ -z "$claim" ]; then break; fi
        take="--take-over $claim=A.Person"
    done
    check "round $1: the last run" "$code" 0
}

crowd() {
    serve
    children=''
    for i in 1 2 3 4 5 6 7 8; do
        seed=$(($1 * 8 + i + ${SEED:-8}))
        pause=$(random 4000)
        end=$(random 6000)
        kill=$(random 3)
        (
            sleep "$(awk "BEGIN { print $pause / 1000 }")"
            (run "crowd-$i" apply) &
            if [ "$kill" = 0 ]; then
                sleep "$(awk "BEGIN { print $end / 1000 }")"
                kill -9 $! 2>/dev/null
            fi
            wait $! 2>/dev/null
        ) &
        children="$children $!"
    done
    for child in $children; do wait "$child" 2>/dev/null; done
    children=''
    check "round $1: at most one pass" $(($(jobs_of 'Recover disks') > 1)) 0
    check "round $1: at most one restore" $(($(jobs_of 'Recover VM to an alternate location') > 1)) 0
    finish "$1"
    serve_end
    count_jobs "round $1"
}

for offset in ${OFFSETS:-0 90 600 3600}; do pair "$offset" apply; done
for offset in ${OFFSETS:-0 30}; do apart "$offset"; done
pair 0 watch --passes 1
pair 300 watch --passes 1
round=1
while [ "$round" -le "${ROUNDS:-3}" ]; do
    crowd "$round"
    round=$((round + 1))
done
echo "claims: $passed passed, $failed failed"
[ "$failed" = 0 ]
