#!/bin/sh
# Parts of the tests side by side: beside.sh JOBS NAME=COMMAND...
# At most JOBS run at a time, begun in this order; none may need what another makes. The output of each is kept apart and shown
# whole, in this order, as soon as those before it have been shown. A part that fails without having counted a failure counts as
# one, and one that has counted a failure fails, whatever it ended with.
set -u

jobs=$1
shift
here=$(dirname "$0")
dir=$(mktemp -d) || exit 1
workers="" status=0

alive() {
    for pid; do
        kill -0 "$pid" 2>/dev/null && return 0
    done
    return 1
}

# Children first, then the folder that they write into.
leave() {
    running="$workers $(cat "$dir"/*.pid 2>/dev/null | tr '\n' ' ')"
    for pid in $running; do
        kill -TERM "$pid" 2>/dev/null
    done
    tenths=50
    # shellcheck disable=SC2086 # a list of numbers
    while alive $running && [ "$tenths" -gt 0 ]; do
        tenths=$((tenths - 1))
        sleep 0.1
    done
    rm -rf "$dir"
}
trap leave EXIT
trap 'exit 1' HUP INT TERM

# Takes one part after the other that nobody has taken: a folder can be made once.
work() {
    n=0
    for part; do
        n=$((n + 1))
        mkdir "$dir/$n" 2>/dev/null || continue
        began=$(date +%s)
        sh -c "exec ${part#*=}" >"$dir/$n/out" 2>&1 </dev/null &
        echo $! >"$dir/$n.pid"
        wait $!
        echo "$? $(($(date +%s) - began))" >"$dir/$n/new"
        rm -f "$dir/$n.pid"
        mv "$dir/$n/new" "$dir/$n/end"
    done
}

# show N NAME
show() {
    # shellcheck disable=SC2086
    while [ ! -f "$dir/$1/end" ] && alive $workers; do
        sleep 0.1
    done
    [ ! -f "$dir/$1/out" ] || cat "$dir/$1/out"
    code=none seconds=0 failures=$(sh "$here/counts.sh" "$dir/$1/out" 2>/dev/null | cut -d ' ' -f 2)
    [ ! -f "$dir/$1/end" ] || read -r code seconds <"$dir/$1/end"
    times="$times  $2 ${seconds}"
    [ "$code" != 0 ] || [ "${failures:-0}" != 0 ] || return 0
    status=1
    [ "${failures:-0}" != 0 ] || echo "$2: 0 passed, 1 failed: it ended with $code"
}

times="" w=0
while [ "$w" -lt "$jobs" ]; do
    work "$@" &
    workers="$workers $!"
    w=$((w + 1))
done
n=0
for part; do
    n=$((n + 1))
    show "$n" "${part%%=*}"
done
echo "seconds:$times"
exit $status
