#!/bin/sh
# The tests' own engine: engine.sh. Parts side by side are shown in order and counted exactly, also those that end badly; a verdict
# of Microsoft's validator without a count is a failure; who interrupts a test sees no noise of what it had begun.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?engine.sh BINARY}") || exit 1
. "$here/checks.sh"
checks_begin engine
cd "$dir" || exit 1

# --- side by side ----------------------------------------------------------------------------------------------------------------

# beside EXIT PART...
beside() {
    wanted=$1
    shift
    sh "$here/beside.sh" 2 "$@" >out 2>&1
    code=$?
    expect "side by side: exit $code is $wanted" [ "$code" = "$wanted" ]
}

counted() {
    [ "$(sh "$here/counts.sh" out)" = "$1" ]
}

shown() {
    [ "$(grep -v '^seconds:' out | tr '\n' '|')" = "$1" ]
}

# The slow one ends after the other has.
echo 'until [ -e ended ]; do sleep 0.1; done; rm -f ended; echo "slow: 3 passed, 0 failed"' >slow
echo 'echo "quick: 2 passed, 0 failed, 1 skipped, 70 checks"; touch ended' >quick
echo 'echo "lies: 2 passed, 1 failed"' >lies
echo 'echo "dies: begins"; kill -KILL $$' >dies
beside 0 'slow=sh slow' 'quick=sh quick'
expect "the slow one is shown first, and whole" shown 'slow: 3 passed, 0 failed|quick: 2 passed, 0 failed, 1 skipped, 70 checks|'
expect "all are counted" counted '5 0'
beside 1 'slow=sh slow' 'lies=sh lies' 'quick=sh quick'
expect "a failure that was counted fails, and is counted once" counted '7 1'
beside 1 'dies=sh dies' 'mute=false' 'quick=sh quick'
expect "parts that end without a count are failures" counted '2 2'

# --- a verdict without a count -----------------------------------------------------------------------------------------------------

# A validator that ends with the first word of the file `end` and says what is in the file `say`.
mkdir bin
printf '#!/bin/sh\ncat "%s/say"\nexit "$(cat "%s/end")"\n' "$dir" "$dir" >bin/node
chmod +x bin/node

# judged WHAT END WORDS JUDGED VIOLATIONS
judged_as() {
    what=$1
    echo "$2" >end
    printf '%s' "$3" >say
    (
        PATH=$dir/bin:$PATH JUDGE=judge.mjs
        . "$here/conformance/judged.sh"
        judge verdict specs record >/dev/null
        echo "$judged $violations" >got
    )
    expect "$what: $(cat got)" [ "$(tail -1 got)" = "$4 $5" ]
}
good='as published: 9 exchanges (3 distinct), 7 judged (0 of them the request only), 2 exempted, 0 findings waived,'
judged_as "a clean verdict" 0 "$good 0 violations
" 7 0
judged_as "two violations" 1 "$good 2 violations
" 7 2
judged_as "a bad end without a violation" 1 "$good 0 violations
" 7 1
judged_as "a verdict that breaks off" 0 "VIOLATION 1 times
" 0 1
judged_as "no word at all" 0 "" 0 1

# --- interrupted -------------------------------------------------------------------------------------------------------------------

applied() {
    pgrep -f "^$binary apply .*$dir/" >/dev/null
}
served() {
    pgrep -f "^$binary sim .*$dir/" >/dev/null
}

# In a folder of its own for temporary files, so that what is left can be seen.
mkdir tmp
TMPDIR=$dir/tmp sh "$here/claims.sh" "$binary" >noise 2>&1 &
claims=$!
started="$started $claims"
within served
expect "claims has begun" served
within applied
kill -TERM "$claims"
expect "interrupted it ends" within ended "$claims"
expect "what it had begun is gone" within eval '! served'
expect "its folder is gone" [ -z "$(ls tmp)" ]
expect "and it made no noise" [ ! -s noise ]

checks_end
