#!/bin/sh
# Two processes and real HTTPS between them: https.sh BINARY. The served simulated Azure in one, the client in the other: the whole
# recovery, an interruption and an abortion in the middle of it, tokens handed in, watch, answers that stall and connections that break.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?https.sh BINARY}") || exit 1
example=$here/../examples/01-lost-key
. "$here/checks.sh"
checks_begin https
cd "$dir" || exit 1
mkdir estate
# Days that no machine takes, however busy it is and however fast the world's clock runs.
sed 's/notAfter: .*/notAfter: 2026-11-29T02:00:00Z/' "$example/activation.yaml" >activation.yaml
cp "$example/estate.yaml" activation.yaml "$example/policy.yaml" estate
sign_in sim-client-secret

# client EXIT WHAT COMMAND OPTION...
client() {
    code=$1 what=$2
    shift 2
    timeout 600 "$binary" "$@" -f estate --cloud cloud.yaml >stdout 2>stderr </dev/null
    got=$?
    if [ "$got" = "$code" ]; then ok "$what: exit $code"; else no "$what: exit $got, not $code" stdout stderr; fi
}

# is_one_of CODE CODE...
is_one_of() {
    wanted=$1
    shift
    case " $* " in *" $wanted "*) return 0 ;; esac
    return 1
}

says() {
    if grep -qF -- "$2" "$1"; then ok "it says: $2"; else no "it does not say: $2" "$1"; fi
}

is_one_object() {
    [ "$(head -c 1 "$1")" = "{" ] && [ "$(grep -c '^[{}]' "$1")" = 2 ] && [ "$(tail -n 1 "$1")" = "}" ]
}

# What reached the service, by its own record.
writes() {
    grep -E '^.{0,3}"method":"(PUT|POST|PATCH)"' sim-record | grep -vc '/oauth2/v2.0/token'
}

jobs_are() {
    [ "$(count '"Job Type": "Recover disks"' sim-world.yaml)" = 1 ] && [ "$(grep -c '"operation": "Restore"' sim-world.yaml)" = 2 ]
}

# The world counts how often each fault of its script was met.
all_met() {
    sed -n '/"faultMatches": \[/,/\]/p' sim-world.yaml >met
    [ "$(grep -cE '^ *[1-9][0-9]*,?$' met)" = 6 ]
}

# begin_apply: in the background. Sets apply_pid.
begin_apply() {
    rm -f stdout stderr
    interruptible "$binary" apply -f estate --cloud cloud.yaml --auto-approve --journal journal --settle 20s >stdout 2>stderr </dev/null &
    apply_pid=$!
    started="$started $apply_pid"
}

exporting() {
    grep -qs 'will show Failed: intended' stderr || ended "$apply_pid"
}

# --- from the first look to the last -----------------------------------------------------------------------------------------

# A trigger rests on a look no older than a minute of the world, which has to be longer than a busy machine takes for one. So the
# clock goes slowly, and the jobs are short.
brief() {
    sed 's/exportDuration: 26m/exportDuration: 3m/; s/restoreDuration: 48m/restoreDuration: 3m/' "$1"
}
brief "$example/world.yaml" >brief.yaml
sim_start "$dir/brief.yaml" 60 || checks_end || exit 1
client 0 "plan" plan
says stdout "export-key"
says stdout "restore-vm"
says stderr "Simulated Azure"
client 2 "plan --detailed-exitcode" plan --detailed-exitcode
client 0 "plan -o json" plan -o json
expect "plan -o json is one object" is_one_object stdout
client 2 "drift" drift
expect "looking wrote nothing" [ "$(writes)" = 0 ]
client 0 "apply" apply --auto-approve --journal none --settle 20s --record record
says stdout "Everything is as declared."
says stderr "will show Failed: intended, do not cancel"
expect "one export and one restore" jobs_are
before=$(writes)
expect "the service saw every write the client recorded" [ "$before" = "$(grep -E '"method":"(PUT|POST|PATCH)"' record | grep -vc '/oauth2/v2.0/token')" ]
client 0 "drift afterwards" drift -o json
expect "drift -o json is one object" is_one_object stdout
says stdout '"differences": 0'
client 0 "apply again" apply --auto-approve --journal none
client 0 "watch, two passes" watch --interval 1s --passes 2 --journal none
expect "nothing more was written" [ "$(writes)" = "$before" ]
sim_stop
expect "an interrupt ends the simulated Azure well" [ $? = 0 ]

# --- tokens handed in ------------------------------------------------------------------------------------------------------------

# token AUDIENCE-MEMBER-OF-THE-CLOUD-FILE
token() {
    audience=$(sed -n "s/.*\"$1\": \"\(.*\)\",*/\1/p" cloud.yaml)
    authority=$(sed -n 's/.*"authority": "\(.*\)",*/\1/p' cloud.yaml)
    curl -s --cacert cloud.yaml.ca.pem --data-urlencode "scope=$audience/.default" -d grant_type=client_credentials \
        -d "client_id=$AZURE_CLIENT_ID" -d "client_secret=$AZURE_CLIENT_SECRET" "$authority/$AZURE_TENANT_ID/oauth2/v2.0/token" |
        sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p'
}

# The world goes on where it was, at the pace of ours: a token lives for an hour of its own.
mv sim-world.yaml recovered.yaml
sim_start "$dir/recovered.yaml" 1 || checks_end || exit 1
arm=$(token armAudience) vault=$(token vaultAudience) storage=$(token storageAudience) graph=$(token graph)
expect "another client gets tokens" [ -n "$arm" ]
if [ -n "$arm" ]; then
    unset AZURE_CLIENT_SECRET AZURE_CLIENT_ID AZURE_TENANT_ID
    export REINSTATE_TOKEN_ARM="$arm" REINSTATE_TOKEN_VAULT="$vault" REINSTATE_TOKEN_STORAGE="$storage" REINSTATE_TOKEN_GRAPH="$graph"
    before=$(count '"uri":"[^"]*/oauth2/' sim-record)
    client 0 "drift with tokens handed in" drift
    expect "and asked for none" [ "$(count '"uri":"[^"]*/oauth2/' sim-record)" = "$before" ]
    expect "the other client had asked for its four" [ "$before" = 4 ]
    REINSTATE_TOKEN_ARM="${arm}x"
    # The key vault's own token is good: what hangs on the other cannot be seen, and nothing ends for it.
    client 2 "a token that is not good" drift
    says stdout "the ARM token was not accepted"
    unset REINSTATE_TOKEN_ARM REINSTATE_TOKEN_VAULT REINSTATE_TOKEN_STORAGE REINSTATE_TOKEN_GRAPH
    sign_in sim-client-secret
fi
sim_stop

# --- interrupted -------------------------------------------------------------------------------------------------------------------

# The export lasts ten seconds of ours.
sed 's/exportDuration: 26m/exportDuration: 10m/; s/restoreDuration: 48m/restoreDuration: 3m/' "$example/world.yaml" >slow.yaml
sim_start "$dir/slow.yaml" 60 || checks_end || exit 1
begin_apply
expect "the export is on its way" within exporting
kill -INT "$apply_pid"
expect "an interrupt is answered" within grep -qs Interrupted stderr
kill -INT "$apply_pid"
wait "$apply_pid"
code=$?
expect "a second interrupt aborts: the pass is not waited for" [ "$(count 'export-key .*foretold' stdout)" = 0 ]
expect "aborted after the trigger: exit $code is 4, partly applied" [ "$code" = 4 ]
begin_apply
expect "the rerun takes up the job" within exporting
kill -INT "$apply_pid"
wait "$apply_pid"
code=$?
expect "drained: exit $code is 3 or 4" is_one_of "$code" 3 4
says stdout "Stopped as asked; what is left is done where the world stands by: reinstate apply -f estate --cloud cloud.yaml --journal journal"
says stdout "At the end"
says stdout "order inc-4711: 0 of 1 machine as declared"
expect "no step was begun after the interrupt" [ "$(count 'Key/payroll-os-key#restore-key  starts' stderr)" = 0 ]
client 0 "the run after that" apply --auto-approve --journal journal --settle 20s
says stdout "Everything is as declared."
expect "one export and one restore in all three" jobs_are
sim_stop

# --- clocks -------------------------------------------------------------------------------------------------------------------------

# skewed BY WORDS PATTERN: this machine's clock is off by so much, and Azure's answers say so.
skewed() {
    sed "s/^  behaviour: {/  behaviour: {clientSkew: $1, /" "$example/world.yaml" >skewed.yaml
    sim_start "$dir/skewed.yaml" 60 || return
    client 0 "plan, with a clock that is $2" plan
    expect "it says so" grep -qE "clock is $3 Azure's" stderr
    client 3 "apply, with a clock that is $2" apply --auto-approve --journal none --settle 20s
    expect "and why nothing is written" grep -qE "nothing is written while this machine's clock is $3 Azure's" stderr
    says stderr "curl -sI --cacert"
    expect "and nothing was written" [ "$(writes)" = 0 ]
    sim_stop
}
skewed 25m "25 min ahead" "2[45] min.* ahead of"
skewed -3h "3 h behind" "(3 h|2 h 59 min).* behind"

# A laptop that is closed between the two looks before a pass, until the order has lapsed.
sed 's/notAfter: .*/notAfter: 2026-11-23T03:30:00Z/' "$example/activation.yaml" >estate/activation.yaml
azure_is_past() {
    [ "$(curl -gsSI --cacert cloud.yaml.ca.pem "https://management.localhost:$(sim_port)/" 2>&1 | sed -n 's/^[Dd]ate: .* \(..:..\):.*/\1/p')" \> "$1" ]
}
sim_start "$example/world.yaml" 150 || checks_end || exit 1
interruptible "$binary" apply -f estate --cloud cloud.yaml --auto-approve --journal none --settle 20m >stdout 2>stderr </dev/null &
apply_pid=$!
started="$started $apply_pid"
expect "the second look is waited for" within grep -qs 'looking again in' stderr
kill -STOP "$apply_pid"
within azure_is_past 03:30
kill -CONT "$apply_pid"
wait "$apply_pid"
code=$?
expect "woken after the order has lapsed: exit $code is 3" [ "$code" = 3 ]
says stderr "the order expired at 2026-11-23T03:30:00Z"
expect "nothing was triggered" [ "$(count '"method":"POST".*/recoveryPoints/[0-9]*/restore' sim-record)" = 0 ]
sim_stop
cp activation.yaml estate

# --- what the network does -----------------------------------------------------------------------------------------------------------

world_with "{on: {method: GET, path: /vaults/kv-payroll}, do: {stall: 2s}}, \
{on: {method: GET, path: /recoveryPoints}, do: {reset: before}}, {on: {method: POST, path: /restore}, do: {reset: after}}, \
{on: {method: PUT, path: /diskEncryptionSets/}, do: {reset: after}}, {on: {method: GET, path: /backupJobs}, nth: 3, do: {truncate: 20}}, \
{on: {method: PUT, path: /roleAssignments/}, do: {status: 429, retryAfter: 20}}"
brief world.yaml >brief.yaml
sim_start "$dir/brief.yaml" 60 || checks_end || exit 1
client 0 "apply over a bad network" apply --auto-approve --journal none --settle 20s
says stdout "Everything is as declared."
expect "one export and one restore over it" jobs_are
expect "every fault of the script was met" all_met
sim_stop

checks_end
