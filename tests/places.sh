#!/bin/sh
# Hostile places: places.sh BINARY. Streams that are closed, variables that make libraries write secrets down, paths that lead
# elsewhere, disks that are full, memory that is not there. Each ends in words and an exit code, and nothing is lost in silence.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?places.sh BINARY}") || exit 1
example=$here/../examples/01-lost-key
. "$here/checks.sh"
checks_begin places
cd "$dir" || exit 1
mkdir estate
cp "$example/estate.yaml" "$example/activation.yaml" "$example/policy.yaml" estate
world=$example/world.yaml
there=$here/../examples/02-deleted-key

# run EXIT WHAT COMMAND...
run() {
    code=$1 what=$2
    shift 2
    "$@" >stdout 2>stderr </dev/null
    got=$?
    if [ "$got" = "$code" ]; then ok "$what: exit $code"; else no "$what: exit $got, not $code" stdout stderr; fi
}

says() {
    if grep -qF -- "$1" stderr; then ok "and says: $1"; else no "does not say: $1" stderr; fi
}

apply() {
    "$binary" apply -f estate --world "$world" --auto-approve "$@"
}

# --- closed streams -------------------------------------------------------------------------------------------------------

for stream in 0 1 2; do
    rm -f journal
    case $stream in
    0) apply --journal journal >stdout 2>stderr <&- ;;
    1) apply --journal journal 2>stderr </dev/null >&- ;;
    2) apply --journal journal >stdout </dev/null 2>&- ;;
    esac
    got=$?
    want=$([ $stream = 1 ] && echo 1 || echo 0)
    expect "stream $stream closed: exit $want" [ "$got" = "$want" ]
    run 0 "stream $stream closed: nothing but lines of the journal is in it" "$binary" journal verify journal
done

# --- the environment ---------------------------------------------------------------------------------------------------------

if [ -r /proc/self/environ ]; then
    if sim_start "$world" 1; then
        sign_in sim-client-secret
        printf 'config_diagnostics = 1\nopenssl_conf = nothing\n' >openssl.cnf
        SSLKEYLOGFILE=$dir/keys OPENSSL_CONF=$dir/openssl.cnf CURL_SSL_BACKEND=none GCONV_PATH=$dir LD_DEBUG_OUTPUT=$dir/ld \
            "$binary" plan -f estate --cloud cloud.yaml >stdout 2>stderr </dev/null
        expect "variables that libraries obey hinder nothing" [ $? = 0 ]
        expect "no key of a connection is written down" [ ! -e keys ]
        sim_stop
    fi
fi

# --- paths that lead elsewhere ------------------------------------------------------------------------------------------------

echo precious >precious
ln -s precious link
for option in journal record world-out; do
    none='--journal none'
    [ "$option" != journal ] || none=
    # shellcheck disable=SC2086 # two words or none
    run 1 "--$option through a link" apply $none --"$option" link
    says "is a link, no ordinary file"
    rm -f pipe
    mkfifo pipe
    run 1 "--$option into a pipe" timeout 600 "$binary" apply -f estate --world "$world" --auto-approve $none --"$option" pipe
    expect "--$option: what the link leads to is as it was" [ "$(cat precious)" = precious ]
done
cp "$there/estate.yaml" there.yaml
run 0 "a history that is not there yet" "$binary" plan -f there.yaml --world "$there/world.yaml" --history history
sed 's#/des-payroll$#/des-other#' history >precious-history
cp precious-history before
ln -s precious-history history-link
run 1 "a history through a link" "$binary" plan -f there.yaml --world "$there/world.yaml" --history history-link
says "is a link, no ordinary file"
expect "what the link leads to is as it was" cmp -s before precious-history
run 1 "a saved plan through a link" "$binary" plan -f estate --world "$world" --out link
run 1 "an order through a link" "$binary" activate -f estate/estate.yaml --world "$world" payroll-01-dr --newest --out link
expect "neither has followed it" [ "$(cat precious)" = precious ]
run 0 "an order into a file" "$binary" activate -f estate/estate.yaml --world "$world" payroll-01-dr --newest --out order.yaml
run 0 "a saved plan into a file" "$binary" plan -f estate --world "$world" --out plan.json
run 0 "all that apply keeps" apply --journal journal-2 --record record --world-out world-out
for file in order.yaml plan.json journal-2 record history world-out; do
    expect "$file is for its owner alone" [ "$(stat -c %a "$file")" = 600 ]
done
expect "nothing is left beside them" [ -z "$(find . -name '*.??????' -newer precious ! -name '*.yaml')" ]

# --- a key's file source ---------------------------------------------------------------------------------------------------------

mkdir keys elsewhere
echo secret >elsewhere/own
sed 's#- recover: {}#- file: {path: PATH}#' estate/estate.yaml >keys/template
for path in ../elsewhere/own "$dir/elsewhere/own" link; do
    rm -f keys/link
    ln -s ../elsewhere/own keys/link
    sed "s#PATH#$path#" keys/template >keys/estate.yaml
    run 1 "file source $path" "$binary" validate -f keys
    says "lies outside the manifest's folder"
    run 0 "file source $path, allowed" "$binary" validate -f keys --allow-path elsewhere
done
sed "s#PATH#not/there/yet#" keys/template >keys/estate.yaml
run 0 "file source that is not there yet" "$binary" validate -f keys

# --- disks that are full -----------------------------------------------------------------------------------------------------------

# Each size is where the file may not grow any more, in the shell's blocks of 512 bytes.
full() {
    what=$1 size=$2
    shift 2
    (
        ulimit -f "$size"
        "$@" 2>&1 >/dev/null
        echo "exit $?"
    ) | cat >stderr
    got=$(sed -n 's/^exit //p' stderr)
    if [ "$got" = 1 ] || [ "$got" = 4 ]; then ok "$what: exit $got"; else no "$what: exit $got" stderr; fi
}

bytes=$(wc -c <journal-2)
for part in 1 2 3; do
    rm -f journal-3
    full "the journal is full after $part of 4 parts" $((bytes * part / 4 / 512)) apply --journal journal-3
    says "the journal"
    run 0 "what is in it holds together" "$binary" journal verify journal-3
done
full "the record is full" 8 apply --journal none --record record-2
says "The recording is not complete"
full "the history is full" 0 "$binary" plan -f there.yaml --world "$there/world.yaml" --history history-2
says "The history was not written"
full "the saved plan is full" 8 "$binary" plan -f estate --world "$world" --out plan-2
full "the order is full" 0 "$binary" activate -f estate/estate.yaml --world "$world" payroll-01-dr --newest --out order-2
full "the simulated world is full" 8 apply --journal none --world-out world-out-2
expect "half a file takes nobody's place" [ ! -e history-2 -a ! -e plan-2 -a ! -e order-2 -a ! -e world-out-2 ]
"$binary" plan -f estate --world "$world" >/dev/full 2>stderr
expect "standard output is full: exit 1" [ $? = 1 ]
says "standard output could not be written"

# --- the journal's head --------------------------------------------------------------------------------------------------------------

rm -f journal-4
run 0 "a run tells the journal's head" apply --journal journal-4
head=$(sed -n "s/.*journal's head is \([0-9a-f]*\).*/\1/p" stderr)
run 0 "it stands there" "$binary" journal verify --head "$head" journal-4
cp journal-4 whole
sed -i '3s/"event"/"evemt"/' journal-4
run 1 "an edited line" "$binary" journal verify journal-4
says "line 3"
sed '$d' whole >journal-4
run 0 "a line cut off the end, unseen without a head" "$binary" journal verify journal-4
run 1 "a line cut off the end" "$binary" journal verify --head "$head" journal-4
says "has never stood at"
rm journal-4
sed 's/inc-4711/inc-4712/' -i estate/activation.yaml
apply --journal journal-4 >/dev/null 2>&1
run 0 "a whole new chain, unseen without a head" "$binary" journal verify journal-4
run 1 "a whole new chain" "$binary" journal verify --head "$head" journal-4 -o json
expect "and as JSON" grep -q '"exitCode": 1' stdout
run 1 "half a digest" "$binary" journal verify --head "${head%????}" journal-4
run 1 "no file" "$binary" journal verify
run 1 "another verb" "$binary" journal check journal-4

# --- no memory ------------------------------------------------------------------------------------------------------------------------

# Sanitizers keep books of terabytes.
if (ulimit -v 200000 && "$binary" version) >/dev/null 2>&1; then
    short=0 odd=0
    for memory in $(seq 20000 1000 60000); do
        (
            ulimit -v "$memory"
            exec "$binary" plan -f estate --world "$world"
        ) >stdout 2>stderr </dev/null
        got=$?
        case $got in
        0 | 127) ;;
        1) if grep -q 'out of memory' stderr; then short=$((short + 1)); else odd=$((odd + 1)); fi ;;
        *) odd=$((odd + 1)) && echo "    exit $got with $memory KB" ;;
        esac
    done
    expect "too little memory is a message and exit 1 ($short times)" [ "$odd" = 0 -a "$short" -gt 0 ]
fi

checks_end
