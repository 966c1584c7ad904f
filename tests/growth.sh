#!/bin/sh
# usage: growth.sh COUNTED-BINARY
# What an estate costs grows with the estate, not with its square: work, allocations, memory and requests of one look at 100, 200 and 400
# machines. Counts, not timings (growth/counted.c): they are the same on a busy machine. From 200 to 400 machines each may grow by at most
# twice what it grew from 100 to 200, with a tenth to spare for names that are longer and tables that double. What a machine may cost in
# requests is bounded, too. A place in the source that
# does a five hundredth of all work, and grows faster, is named: so a square is found before it outweighs the rest.
# A run that restores 50, 100 and 200 lost machines is counted as well.
set -u
binary=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

judge() {
    if [ "$2" -eq 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAIL $1"
    fi
}

# Hundredths of a request that one of 400 machines may cost: what lists and items tell is asked for nobody by himself.
allowed() {
    case $1 in
    drift) echo 20 ;;
    *) echo 145 ;;
    esac
}

for n in 100 200 400; do
    sh "$here/growth/generate.sh" $n "$work/$n"
done
for command in drift forecast plan; do
    for n in 100 200 400; do
        at=$work/$n
        REINSTATE_COUNTS=$at/$command "$binary" $command -f "$at/estate.yaml" --world "$at/world.yaml" --record "$at/$command.record" -o json \
            >"$at/$command.out" 2>"$at/$command.err"
        judge "$command of $n machines: exit $? $(head -c 300 "$at/$command.err")" $?
        # What is throttled is asked again: that counts the limits, not the estate.
        echo "requests $(grep -vc '"status": *429' "$at/$command.record")" >>"$at/$command"
    done
    for what in blocks allocations bytes peak-kb requests; do
        told=$(for n in 100 200 400; do awk -v what=$what '$1 == what { print $2 }' "$work/$n/$command"; done | tr '\n' ' ')
        echo "$told" | awk '{ exit !($3 - $2 <= 2.2 * ($2 - $1)) }'
        judge "$command, $what of 100, 200 and 400 machines grow faster than their number: $told" $?
        echo "  $command $what: $told"
    done
    requests=$(awk '$1 == "requests" { print $2 }' "$work/400/$command")
    judge "$command asks $requests times for 400 machines, allowed are $(allowed $command) in a hundred" \
        $((requests * 100 > $(allowed $command) * 400))
    awk 'FNR == 1 { file++ } /^0x/ { n[file, $1] = $2; if (file == 3) at[$1] } $1 == "blocks" { all = $2 }
         END { for (a in at) if (n[3, a] > all / 500 && n[3, a] - n[2, a] > 2.8 * (n[2, a] - n[1, a])) print n[3, a], a }' \
        "$work/100/$command" "$work/200/$command" "$work/400/$command" | sort -rn | head -5 >"$work/places"
    judge "$command: $(wc -l <"$work/places") places grow faster than the estate" "$(wc -l <"$work/places")"
    while read -r times at; do
        echo "  $times times: $(addr2line -pfe "$binary" "$at" 2>/dev/null || echo "$at")"
    done <"$work/places"
done
# An apply reads whole lists more often the longer it lasts, and they grow: 2.8 leaves room for that and for no square of its own.
for n in 50 100 200; do
    at=$work/lost-$n
    sh "$here/growth/generate.sh" $n "$at" 10 lost
    REINSTATE_COUNTS=$at/apply "$binary" apply --auto-approve -f "$at/estate.yaml" -f "$at/order.yaml" --world "$at/world.yaml" --journal none \
        --record "$at/record" >"$at/out" 2>"$at/err"
    judge "apply of $n restores: exit $? $(tail -c 300 "$at/err")" $?
    triggers=$(grep -c '"method":"POST","uri":"[^"]*/recoveryPoints/[^"/]*/restore?' "$at/record")
    judge "apply of $n restores on $((n / 10)) keys triggered $triggers times" $((triggers != n + n / 10))
    echo "requests $(grep -vc '"status": *429' "$at/record")" >>"$at/apply"
    echo "job-lists $(grep -c '/backupJobs?' "$at/record")" >>"$at/apply"
done
for what in blocks:28 allocations:28 bytes:28 peak-kb:24 requests:23 job-lists:23; do
    told=$(for n in 50 100 200; do awk -v what="${what%:*}" '$1 == what { print $2 }' "$work/lost-$n/apply"; done | tr '\n' ' ')
    # Lists of jobs go by time, and are as many for all: a tenth more of the first count is no growth.
    echo "$told" | awk -v most="${what#*:}" '{ exit !($3 - $2 <= most / 10 * ($2 - $1) || $3 <= 1.1 * $1) }'
    judge "apply, ${what%:*} of 50, 100 and 200 restores grow faster than their number: $told" $?
    echo "  apply ${what%:*}: $told"
done
# One key of forty differs: its ten machines are looked at in full, and no other.
sed '0,/enabled: true/s//enabled: false/' "$work/400/world.yaml" >"$work/world.yaml"
"$binary" drift -f "$work/400/estate.yaml" --world "$work/world.yaml" --record "$work/record" >"$work/out" 2>&1
code=$?
judge "drift of 400 machines with one key disabled: exit $code, not 2" $((code != 2))
points=$(grep -c '/recoveryPoints?' "$work/record")
judge "one difference had the points of $points machines read, not of 10" $((points != 10))
echo "growth: $passed passed, $failed failed"
[ "$failed" -eq 0 ]
