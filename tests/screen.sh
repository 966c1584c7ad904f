#!/bin/sh
# What a person sees of a run that is interrupted, and of one on a terminal: screen.sh BINARY.
# Without a way to make a terminal that part is skipped; with CI set it fails instead.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?screen.sh BINARY}") || exit 1
example=$here/../examples/01-lost-key
. "$here/checks.sh"
checks_begin screen
cd "$dir" || exit 1
mkdir estate
cp "$example/estate.yaml" "$example/activation.yaml" "$example/policy.yaml" estate
sign_in sim-client-secret

# In the first argument's text the words of the second.
says() {
    if grep -qF -- "$2" "$1"; then ok "it says: $2"; else no "it does not say: $2" "$1"; fi
}

job_of() {
    sed -n 's/.*restore triggered: job \([0-9a-f-]*\).*/\1/p' "$1" | head -n 1
}

restores() {
    count '"method":"POST".*/recoveryPoints/[0-9]*/restore' sim-record
}

# --- interrupted while it waits for a job -----------------------------------------------------------------------------

# signalled NAME: that signal twice while the pass runs, then the same command again.
signalled() {
    rm -f stdout stderr
    interruptible "$binary" apply -f estate --cloud cloud.yaml --auto-approve --journal none >stdout 2>stderr &
    pid=$!
    started="$started $pid"
    within grep -qs 'restore triggered' stderr || no "a pass is triggered" stderr
    lines=$(wc -l <stderr)
    kill -"$1" "$pid"
    if within grep -qs Interrupted stderr; then ok "$1 is answered"; else no "$1 is answered" stderr; fi
    tail -n "+$((lines + 1))" stderr >answer
    says answer "waits for ProtectedVirtualMachine/payroll-01#export-key"
    says answer "job $(job_of stderr) runs on at Azure"
    says answer "Resume with: reinstate apply -f estate --cloud cloud.yaml"
    kill -"$1" "$pid"
    wait "$pid"
    code=$?
    expect "a second $1 ends it with exit 4: $code" [ "$code" = 4 ]
    says stderr "Stopped: nothing is waited for any more; job $(job_of stderr) runs on at Azure"
    says stdout "job $(job_of stderr) runs on at Azure, and the next run adopts it"
    says stdout "At the end"
    sed '1,/^At the end/d' stdout >end
    says end "job $(job_of stderr)"
    says end "it runs on at Azure, and the next run adopts it"
    says stdout "reinstate apply -f estate --cloud cloud.yaml --journal none --auto-approve"
    expect "the end does not say that nothing was done" [ "$(count 'Nothing was done|cancelled' stdout)" = 0 ]
}

if sim_start "$example/world.yaml" 150; then
    signalled INT
    expect "one restore was triggered" [ "$(restores)" = 1 ]
    signalled_job=$(job_of stderr)
    "$binary" apply -f estate --cloud cloud.yaml --auto-approve --journal none >stdout 2>stderr
    code=$?
    expect "run again it ends well: exit $code" [ "$code" = 0 ]
    says stderr "$signalled_job"
    expect "what the first run has spent counts" grep -q '  order inc-4711: 1 of 1 machine as declared, 1 h .* before this run); about .* were foreseen for the rest' stdout
    expect "and no pass was triggered twice" [ "$(restores)" = 2 ]
    sim_stop
fi
if sim_start "$example/world.yaml" 150; then
    signalled TERM
    sim_stop
fi

# --- interrupted where the clock jumps -----------------------------------------------------------------------------------

# A pipe that is nearly full, and that nobody reads, holds it up in the middle of the run.
rm -f stdout stderr
mkfifo narrow
exec 4<>narrow
head -c 62440 /dev/zero >&4
interruptible "$binary" apply -f estate --world "$example/world.yaml" --world-out left.yaml --auto-approve --journal none -o json >narrow 2>stderr &
pid=$!
started="$started $pid"
within [ -s left.yaml ]
sleep 1
kill -INT "$pid"
kill -TERM "$pid"
wait "$pid"
code=$?
exec 4>&-
expect "a second signal ends it at once: exit $code" [ "$code" -ge 130 ]
says stderr "Stopped at once: the simulated Azure has ended with this run, and what it was stands in left.yaml. Resume with: reinstate apply -f estate --world left.yaml --world-out left.yaml"
"$binary" apply -f estate --world left.yaml --world-out left.yaml --auto-approve --journal none >stdout 2>stderr
code=$?
expect "and resumed it ends well: exit $code" [ "$code" = 0 ]

# --- begun with a signal ignored ----------------------------------------------------------------------------------------

if sim_start "$example/world.yaml" 300; then
    rm -f stdout; : >stderr
    nohup env --ignore-signal=INT "$binary" apply -f estate --cloud cloud.yaml --auto-approve --journal none >stdout 2>stderr &
    pid=$!
    started="$started $pid"
    within grep -qs 'restore triggered' stderr || no "a pass is triggered" stderr
    kill -HUP "$pid"
    kill -INT "$pid"
    wait "$pid"
    code=$?
    expect "begun with HUP and INT ignored it outlives both: exit $code is 0" [ "$code" = 0 ]
    expect "and does not stop: $(count Interrupted stderr)" [ "$(count Interrupted stderr)" = 0 ]
    sim_stop
fi

# --- watch, interrupted -------------------------------------------------------------------------------------------------

# watching COUNT: watch, with so many interrupts once a pass is triggered. Sets code.
watching() {
    rm -f stdout stderr
    interruptible "$binary" watch -f estate --cloud cloud.yaml --journal none --interval 60s >stdout 2>stderr &
    pid=$!
    started="$started $pid"
    within grep -qs 'restore triggered' stderr || no "a pass is triggered" stderr
    for n in $(seq "$1"); do
        kill -INT "$pid"
        within grep -qs Interrupted stderr || no "interrupt $n is answered" stderr
    done
    within ended "$pid" || no "it ends" stderr
    wait "$pid"
    code=$?
}

if sim_start "$example/world.yaml" 300; then
    watching 2
    expect "interrupted twice after a trigger it has applied partly: exit $code is 4" [ "$code" = 4 ]
    says stdout "it runs on at Azure, and the next run adopts it"
    says stderr "reinstate watch -f estate --cloud cloud.yaml --journal none --interval 60s"
    job=$(job_of stderr)
    interruptible "$binary" watch -f estate --cloud cloud.yaml --journal none --interval 60s >stdout 2>stderr &
    pid=$!
    started="$started $pid"
    within grep -qs 'restore-vm  done' stderr || no "it goes on with job $job" stderr
    within grep -qs 'pass 1: ' stdout || no "the pass ends" stdout
    says stderr "$job"
    kill -INT "$pid"
    wait "$pid"
    code=$?
    expect "interrupted between two passes it ends as the last has: exit $code is 0" [ "$code" = 0 ]
    expect "one pass and one restore" [ "$(restores)" = 2 ]
    sim_stop
fi
if sim_start "$example/world.yaml" 300; then
    watching 1
    expect "interrupted once it waits for what is in flight: exit $code is 4" [ "$code" = 4 ]
    says stderr "export-key  done"
    expect "and begins nothing more" [ "$(count 'restore-key  starts' stderr)" = 0 ]
    expect "one pass, no restore" [ "$(restores)" = 1 ]
    sim_stop
fi

# --- apply, an order that is withdrawn under it ---------------------------------------------------------------------------

# withdrawn HOW SAYS: by that change of the order's file while apply waits between its two looks.
withdrawn() {
    if sim_start "$example/world.yaml" 150; then
        rm -f stdout stderr
        cp "$example/activation.yaml" estate
        "$binary" apply -f estate --cloud cloud.yaml --auto-approve --journal none --settle 30m >stdout 2>stderr &
        pid=$!
        started="$started $pid"
        within grep -qs 'no such job; looking again in' stderr || no "it waits before the pass" stderr
        eval "$1"
        wait "$pid"
        code=$?
        expect "an order that was withdrawn meanwhile ends it blocked: exit $code is 3" [ "$code" = 3 ]
        says stdout "$2"
        expect "and triggers nothing: $(restores)" [ "$(restores)" = 0 ]
        sim_stop
    fi
    cp "$example/activation.yaml" estate
}

withdrawn 'rm estate/activation.yaml' 'Activation/inc-4711 is not in estate/activation.yaml any more'
withdrawn 'echo "  withdrawn: true" >>estate/activation.yaml' 'Activation/inc-4711 was withdrawn while this run went on (estate/activation.yaml)'
withdrawn 'sed -i s/805440465632125/805440379213870/ estate/activation.yaml' 'Activation/inc-4711 was changed while this run went on (estate/activation.yaml)'

# Withdrawn while its pass runs: what the order alone approves is not begun, and the last lines do not speak of it as in force.
if sim_start "$example/world.yaml" 150; then
    rm -f stdout stderr
    "$binary" apply -f estate --cloud cloud.yaml --auto-approve --journal none >stdout 2>stderr &
    pid=$!
    started="$started $pid"
    within grep -qs 'restore triggered' stderr || no "it triggers the pass" stderr
    rm estate/activation.yaml
    wait "$pid"
    code=$?
    sed '1,/^What is left/d' stdout >left
    expect "an order that was withdrawn during its pass: exit $code is 4" [ "$code" = 4 ]
    says stderr "Key/payroll-os-key#restore-key  BLOCKED: Activation/inc-4711 is not in estate/activation.yaml any more"
    says left "Activation/inc-4711: withdrawn"
    expect "and it is not told as in force" [ "$(count 'in force until|ordered by inc-4711' left)" = 0 ]
    expect "no key is restored, no machine" [ "$(restores) $(count '"method":"POST".*/keys/restore' sim-record)" = '1 0' ]
    sim_stop
    cp "$example/activation.yaml" estate
fi

# What comes by standard input or a pipe cannot be looked at again, and stands.
sed 's/^apiVersion/---\n&/' estate/activation.yaml | "$binary" apply -f estate/estate.yaml -f - --world "$example/world.yaml" --auto-approve --journal none >stdout 2>stderr
code=$?
expect "an order by standard input is carried out: exit $code is 0" [ "$code" = 0 ]

# A request lies before the simulated Azure, which does not read it.
asked() {
    awk -v port="$(printf ':%04X' "$(sim_port)")" '
        FNR > 1 && substr($2, length($2) - 4) == port && substr($5, 10) != "00000000" { found = 1 }
        END { exit !found }' /proc/net/tcp /proc/net/tcp6
}

# --- watch, documents that change under it --------------------------------------------------------------------------------

# passed COUNT WHAT: so many more passes have ended.
passed() {
    wanted=$(($(grep -c ' pass [0-9]*: [0-9]' stdout) + $1))
    within passes_are "$wanted" || no "$2" stdout
}

passes_are() {
    [ "$(grep -c ' pass [0-9]*: [0-9]' stdout)" -ge "$1" ]
}

if sim_start "$example/world.yaml" 300; then
    rm -f stdout stderr
    sed 's/notBefore: .*/notBefore: 2026-11-23T03:30:00Z/' estate/activation.yaml >later.yaml
    cp estate/activation.yaml now.yaml
    cp later.yaml estate/activation.yaml
    interruptible "$binary" watch -f estate --cloud cloud.yaml --journal none --interval 60s >stdout 2>stderr &
    pid=$!
    started="$started $pid"
    passed 1 "the first pass ends"
    (cat later.yaml; echo '  withdrawn: true') >estate/activation.yaml
    within grep -qs ' pass [0-9]*: the documents have changed' stderr || no "a withdrawn order is read" stderr
    within grep -qsE '03:(4[0-9]|5[0-9]).*pass' stdout || no "its window opens" stdout
    expect "an order that was withdrawn starts nothing: $(restores)" [ "$(restores)" = 0 ]
    (cat now.yaml; echo '  purpose: [') >estate/activation.yaml
    within grep -qs 'the documents have faults now' stderr || no "faults are told" stderr
    passed 2 "with faults in the documents it looks on"
    expect "and starts nothing: $(restores)" [ "$(restores)" = 0 ]
    cp now.yaml estate/activation.yaml
    within grep -qs 'restore triggered' stderr || no "an order that is given later is seen" stderr
    kill -INT "$pid"
    within grep -qs Interrupted stderr || no "the interrupt is answered" stderr
    kill -INT "$pid"
    wait "$pid"
    sim_stop
fi

# While it looks for the second time at an Azure that does not answer; nothing is ordered, so the first pass found blocks.
mv estate/activation.yaml .
if sim_start "$example/world.yaml" 60; then
    rm -f stdout stderr
    interruptible "$binary" watch -f estate --cloud cloud.yaml --journal none --interval 60s >stdout 2>stderr &
    pid=$!
    started="$started $pid"
    within grep -qs 'pass 1: ' stdout || no "the first pass ends" stdout
    kill -STOP "$sim_pid"
    within asked
    kill -INT "$pid"
    within grep -qs 'Interrupted' stderr || no "the interrupt is answered" stderr
    kill -INT "$pid"
    within ended "$pid" || no "it ends" stderr
    wait "$pid"
    code=$?
    kill -CONT "$sim_pid"
    expect "stopped while it looked it ends as the last whole pass has: exit $code is 3" [ "$code" = 3 ]
    says stderr "stopped while it looked; nothing was written"
    sim_stop
fi
mv activation.yaml estate

# --- activate: an order in a file --------------------------------------------------------------------------------------

name_in() {
    sed -n 's/^  name: //p' "$1"
}

# pasted FILE: the commands printed there, each as it stands; none may be refused as a command.
pasted() {
    sed -n 's/.*: \(reinstate [a-z].* -f .*\)$/\1/p; s/^ *\(reinstate [a-z].* -f .*\)$/\1/p' "$1" | sort -u >commands
    expect "commands are printed in $1: $(wc -l <commands)" [ -s commands ]
    while read -r command; do
        command="'$binary'${command#reinstate}"
        sh -c "$command" >pasted.out 2>&1 </dev/null
        code=$?
        expect "it can be pasted (exit $code): $command" [ "$code" != 1 ]
    done <commands
}

mkdir 'or der'
cp estate/estate.yaml estate/policy.yaml 'or der'
rm -f stdout stderr
"$binary" activate -f 'or der' --world "$example/world.yaml" payroll-01-dr --purpose drill --out 'or der/one.yaml' >stdout 2>stderr
expect "an order is written" [ -s 'or der/one.yaml' ]
says 'or der/one.yaml' 'purpose: drill'
says stderr "reinstate apply -f 'or der' --world"
pasted stderr
first=$(name_in 'or der/one.yaml')
"$binary" activate -f 'or der' --world "$example/world.yaml" payroll-01-dr --out 'or der/one.yaml' >stdout 2>stderr
code=$?
expect "an order that is there is not replaced: exit $code is 1" [ "$code" = 1 ]
"$binary" activate -f 'or der' --world "$example/world.yaml" payroll-01-dr --out 'or der/one.yaml' --force >stdout 2>stderr
code=$?
expect "unless that is asked for, and it does not stand against itself: exit $code is 0" [ "$code" = 0 ]
says stderr "held Activation/$first"
expect "by another name: $(name_in 'or der/one.yaml')" [ "$(name_in 'or der/one.yaml')" = "$first-2" ]
"$binary" activate -f 'or der' --world "$example/world.yaml" payroll-01-dr --out two.yaml >stdout 2>stderr
says stderr "this order would stand beside another one: Activation/$first-2"
says stderr "two.yaml is not written: a second order for a machine is a fault of the manifests"
expect "and it is not" [ ! -e two.yaml ]
expect "and no command says otherwise" [ "$(count 'reinstate apply' stderr)" = 0 ]
"$binary" apply -f 'or der' --world "$example/world.yaml" --journal none --auto-approve >stdout 2>stderr
pasted stdout

# What a forecast and a question about a loss advise.
deleted=$here/../examples/02-deleted-key
"$binary" forecast -f "$deleted/estate.yaml" --world "$deleted/world.yaml" >stdout 2>stderr
pasted stdout
"$binary" impact -f "$deleted/estate.yaml" --world "$deleted/world.yaml" --delete payroll-os-key >stdout 2>stderr
pasted stdout

# --- on a terminal ----------------------------------------------------------------------------------------------------

# What a terminal still shows when all is over: of each line what the last carriage return left.
shown() {
    sed -e 's/\r$//' -e 's/.*\r//' -e "s/$(printf '\033')\[[0-9;]*[A-Za-z]//g" "$1"
}

run="'$binary' apply -f estate --world '$example/world.yaml' --auto-approve --journal none"
if script -qec true /dev/null >stdout 2>&1; then
    sh -c "$run" >stdout 2>stderr
    job=$(job_of stderr)
    COLUMNS=80 TERM=xterm script -qec "stty cols 80; $run" typescript >/dev/null 2>&1
    # Lines are broken between words.
    shown typescript | tr -s '\n ' ' ' >screen
    for line in "restore triggered: job $job" "failed as foretold" "and left the key in storage account" "nothing is deleted" \
        "not compared" "read back: provisioned"; do
        says stderr "$line"
        says screen "$line"
    done
elif [ -n "${CI:-}" ]; then
    no "a terminal can be made"
else
    echo "skipped: no way to make a terminal (script)"
fi

checks_end
