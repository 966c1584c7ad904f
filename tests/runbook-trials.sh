#!/bin/sh
# Runbooks on trial: runbook-trials.sh BINARY. The form for curl with just the rights that its head lists, and
# without one of them; an account that refuses the token; a pass that outlasts its tokens; tool and runbook beside each other, which
# trigger once between them; answers that lead elsewhere, and texts that would be obeyed.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?runbook-trials.sh BINARY}") || exit 1
. "$here/checks.sh"
. "$here/carried.sh"
checks_begin runbook-trials
cd "$dir" || exit 1

# is_between LEAST N MOST
is_between() {
    [ "$1" -le "$2" ] && [ "$2" -le "$3" ]
}

# --- the rights that the head lists ----------------------------------------------------------------------------------------------

# listed TITLE: "ROLE on SCOPE", one a line, of the head's list with this title.
listed() {
    sed -n "/^# $1/,/^#\$/p" run.sh | sed -e 1d -e 's/^# *//' | awk '/^(\/|https:)/ { print held " " $0; next } / on [\/h]/ { print } { held = $0 }'
}

no_keys='s/allowSharedKeyAccess: true/allowSharedKeyAccess: false/'

# runner ROLES WORLD: the quick world, with somebody else who holds these roles and no other. The account takes no keys, so that its
# roles cannot be done without.
runner() {
    sed -n 's|^\(.*\) on \(/.*\)|    - {principal: runner, role: \1, scope: \2}|p' "$1" >assignments
    sed -n 's|^\(.*\) on https://\([^./]*\)[^/]*\(/.*\)|    - {store: \2, principal: runner, role: \1, scope: \3}|p' "$1" >local
    quick "$2" -e '/^  roleAssignments:/r assignments' -e '/^  hsmRoleAssignments:/r local' -e "$no_keys" -e "/^  principals:/a\\
    - {name: runner, objectId: 0f0f0f0f-0000-4000-8000-0000000000ef, appId: 0f0f0f0f-0000-4000-8000-0000000000ee, secret: runner-secret}"
}

# as_runner ROLES: the operator writes the runbook, the other one runs it.
as_runner() {
    runner "$1" rights.yaml
    sign_in sim-client-secret
    begin "$story" "$dir/rights.yaml" || return 1
    AZURE_CLIENT_ID=0f0f0f0f-0000-4000-8000-0000000000ee AZURE_CLIENT_SECRET=runner-secret
    run
    sign_in sim-client-secret
}

# The head of a step, up to the next one.
step_head() {
    sed -n "/^# ---- $1\\. /,/^if /p" run.sh
}

# just_those RESTORES ROLES CLAIMS: of $story; so many are listed, whoever holds them gets through, and without one of them does not.
just_those() {
    "$binary" runbook --shell curl -f "$here/../examples/$story/estate.yaml" -f "$here/../examples/$story/activation.yaml" \
        -f "$here/../examples/$story/policy.yaml" --world "$here/../examples/$story/world.yaml" >run.sh 2>stderr
    listed 'Who does this needs' >least
    listed 'For the claim' >claim
    expect "$story: the head lists $2 roles, and $3 for the claim" [ "$(count . least) $(count . claim)" = "$2 $3" ]
    if as_runner least; then
        expect "who holds just those gets through: exit $code" [ "$code" = 0 ]
        expect "by $1 restores" [ "$(restores)" = "$1" ]
        expect "without the claim's role there is no claim" [ "$(count 'takes no claim \(403' stderr)" = "$1" ]
        sim_stop
    fi
    missing=0
    while [ "$missing" -lt "$(count . least)" ]; do
        missing=$((missing + 1))
        role=$(sed -n "${missing}s/ on .*//p" least)
        sed "${missing}d" least >without
        as_runner without || continue
        expect "without $role it stops: exit $code" [ "$code" = 1 ]
        at=$(sed -n 's/^\([0-9]*\)\. .*/\1/p' stderr | tail -n 1)
        { step_head "${at:-0}"; grep '^STOP' stderr; } >shown
        if grep -qF "$role" shown; then ok "at step $at, which names it"; else no "at step $at, which does not name $role" shown stderr; fi
        sim_stop
    done
}

just_those 2 5 1
story=02-deleted-key
just_those 0 1 0
story=03-lost-hsm-key
just_those 2 5 1
story=01-lost-key

# --- an account that refuses the token -------------------------------------------------------------------------------------------

# by_key WHAT CODE RESTORES SED-OPTION...: who has no role for blobs runs it.
by_key() {
    case=$1 wanted=$2 by=$3
    shift 3
    quick by-key.yaml -e '/role: Storage Blob Data Reader/d' "$@"
    begin 01-lost-key "$dir/by-key.yaml" || return 1
    run
    expect "$case: exit $code" [ "$code" = "$wanted" ]
    expect "$case: $by restores" [ "$(restores)" = "$by" ]
}
refuses() {
    echo "s#^  faults: \\[\\]#  faults: [{on: {method: $1, path: $2}, every: true, do: {status: 403, code: $3, headers: {x-ms-error-code: $3}}}]#"
}

if by_key "by the account's key" 0 2; then
    says "trying the account's key"
    expect "both triggers are claimed" [ "$(count 'claim [0-9a-f]{40}-0 taken' stderr)" = 2 ]
    sim_stop
fi
if by_key "keys that may not be listed" 1 0 -e "$(refuses POST /listKeys AuthorizationFailed)"; then
    says 'what the job leaves could not be read (403 AuthorizationPermissionMismatch)'
    says 'Storage Blob Data Reader on the account, or the right to list its keys'
    sim_stop
fi
quick no-way.yaml -e "$(refuses PUT /reinstate-claims AuthorizationFailure)"
if begin 01-lost-key "$dir/no-way.yaml"; then
    run
    expect "a network that lets no claim through, where claims are preferred: exit $code" [ "$code" = 0 ]
    says 'takes no claim (403 AuthorizationFailure): two looks are all'
    expect "it is not asked for its keys" [ "$(count listKeys sim-record)" = 0 ]
    sim_stop
fi
if begin 01-lost-key "$dir/no-way.yaml"; then
    sed -i "s/claims_required=''/claims_required=yes/" run.sh
    run
    expect "and where they are required: exit $code" [ "$code" = 1 ]
    says 'Policy.spec.claims is required'
    expect "nothing is triggered" [ "$(restores)" = 0 ]
    sim_stop
fi

# --- a pass that outlasts its tokens ---------------------------------------------------------------------------------------------

# token NAME MEMBER: of that audience in the cloud file, into REINSTATE_TOKEN_NAME.
token() {
    audience=$(sed -n "s/.*\"$2\": \"\(.*\)\",*/\1/p" cloud.yaml)
    got=$(curl -gsS --cacert cloud.yaml.ca.pem --data-urlencode "scope=$audience/.default" -d grant_type=client_credentials \
        -d "client_id=$AZURE_CLIENT_ID" -d client_secret=sim-client-secret \
        "https://login.localhost:$(sim_port)/$AZURE_TENANT_ID/oauth2/v2.0/token" | jq -r .access_token)
    export "REINSTATE_TOKEN_$1=$got"
}
tokens() {
    token ARM armAudience
    token VAULT vaultAudience
    token STORAGE storageAudience
}

quick long.yaml -e 's/exportDuration: 1m/exportDuration: 90m/'
if begin 01-lost-key "$dir/long.yaml"; then
    run
    expect "tokens are renewed on the way: exit $code" [ "$code" = 0 ]
    expect "a line a minute tells of the wait, which ends with the job" is_between 88 "$(count 'waiting for job [0-9a-f-]*: [0-9]+ min' stderr)" 90
    sim_stop
fi
if begin 01-lost-key "$dir/long.yaml"; then
    tokens
    unset AZURE_CLIENT_SECRET
    run
    expect "tokens that were given end with the pass: exit $code" [ "$code" = 1 ]
    says 'has ended: put a new one there, and run this step again'
    expect "before the key is asked for" [ "$(count '/keys/restore' sim-record)" = 0 ]
    tokens
    run
    expect "with new ones it adopts the pass and goes on: exit $code" [ "$code" = 0 ]
    expect "by two restores" [ "$(restores)" = 2 ]
    unset REINSTATE_TOKEN_ARM REINSTATE_TOKEN_VAULT REINSTATE_TOKEN_STORAGE
    sign_in sim-client-secret
    sim_stop
fi
busy='s#^  faults: \[\]#  faults: [{on: {method: GET, path: /reinstate-claims}, every: true, do: {status: 503, code: ServerBusy}}]#'
if by_key "an account too busy to say whether a claim stands" 1 0 -e "$busy"; then
    says 'whether a claim stands in storage account stpayrolldr cannot be told (503'
    sim_stop
fi

# --- beside the tool ---------------------------------------------------------------------------------------------------------------

# A job shows in the vault's list only after both looks: by then only its claim speaks of it.
late_list='s/jobListLag: [0-9a-z]*/jobListLag: 4m/'
writes_claims='s/role: Storage Blob Data Reader/role: Storage Blob Data Contributor/'

# A pause for runs that are cut off: waiting for a job it fails, once there are so many restores.
pause_until() {
    {
        echo '#!/bin/sh'
        echo "[ \"\$1\" = 30 ] && [ \"\$(grep -c '\"operation\": \"Restore\"' '$dir/sim-world.yaml')\" -ge $1 ] && exit 1"
        echo "exec '$dir/pause' \"\$1\""
    } >cut
    chmod +x cut
}

# The tool's waits are short; the world's clock is moved on beside it, a little with each look, since only it says what has happened.
tool() {
    sed 's/"speed": [0-9.]*/"speed": 30/' cloud.yaml >fast.yaml
    "$binary" apply -f estate --cloud fast.yaml --auto-approve --journal none >tool.out 2>tool.err </dev/null &
    tool_pid=$!
    started="$started $tool_pid"
    within tool_says "$1" || no "the tool does not say: $1" tool.out tool.err
    kill -KILL "$tool_pid" 2>stderr
    wait "$tool_pid" 2>stderr
}
tool_says() {
    ./pause 2
    grep -qF -- "$1" tool.out tool.err
}

quick beside.yaml -e "$late_list" -e "$writes_claims" -e 's/restoreDuration: 1m/restoreDuration: 10m/'
if begin 01-lost-key "$dir/beside.yaml"; then
    tool 'restore triggered: job'
    expect "the tool is cut off after one trigger" [ "$(restores)" = 1 ]
    pause_until 2
    run cut
    says ': adopted, nothing is triggered'
    expect "the runbook has adopted the tool's pass, and is cut off after a restore of its own" [ "$(restores)" = 2 ]
    expect "which it has claimed" [ "$(count 'claim [0-9a-f]{40}-0 taken' stderr)" = 1 ]
    tool ': adopted'
    expect "the tool has adopted that" [ "$(restores)" = 2 ]
    ./pause 600
    run
    expect "the runbook ends it: exit $code" [ "$code" = 0 ]
    expect "by two restores in all" [ "$(restores)" = 2 ]
    sim_stop
fi

# What is refused after a trigger was taken says nothing of the trigger.
quick polls.yaml -e "$writes_claims" -e "s#^  faults: \[\]#  faults: [{on: {method: GET, path: /operationsStatus/}, every: true, do: {status: 403, code: AuthorizationFailed}}]#"
if begin 01-lost-key "$dir/polls.yaml"; then
    run
    expect "a restore whose operation nobody may read is carried out: exit $code" [ "$code" = 0 ]
    says 'the answer to the trigger was lost'
    expect "and triggered once" [ "$(restores)" = 2 ]
    sim_stop
fi

# A claim is taken, and its writer is cut off before it triggers.
quick open.yaml -e "$writes_claims" -e "s#^  faults: \[\]#  faults: [{on: {method: POST, path: /restore}, do: {reset: before}}]#"
if begin 01-lost-key "$dir/open.yaml"; then
    {
        echo '#!/bin/sh'
        echo "[ \"\$1\" = 60 ] && exec '$dir/pause' 60"
    } >cut
    chmod +x cut
    run cut
    says 'claim '
    expect "nobody has triggered" [ "$(restores)" = 0 ]
    run
    expect "a claim without a job stops it: exit $code" [ "$code" = 1 ]
    says 'which names none yet'
    says 'TAKE_OVER='
    expect "and nothing is triggered" [ "$(restores)" = 0 ]
    TAKE_OVER=$(sed -n 's/.*TAKE_OVER=\([0-9a-f-]*\)=YOUR-NAME.*/\1/p' stderr)=A.Person
    export TAKE_OVER
    run
    unset TAKE_OVER
    expect "a person takes it over: exit $code" [ "$code" = 0 ]
    expect "by two restores" [ "$(restores)" = 2 ]
    sim_stop
fi

# --- an Azure that is busy, and gateways before it ----------------------------------------------------------------------------------

fault() {
    echo "s#^  faults: \\[\\]#  faults: [$1]#"
}
# later WHAT CODE RESTORES SED-OPTION...: the runbook is written before the world is changed so, and run after it.
later() {
    case=$1 wanted=$2 by=$3
    shift 3
    quick before.yaml -e "$writes_claims"
    quick after.yaml -e "$writes_claims" "$@"
    begin 01-lost-key "$dir/before.yaml" || return 1
    old=$(sim_port)
    sim_stop
    sim_start "$dir/after.yaml" 0 || return 1
    pause_made
    sed -i "s/localhost:$old/localhost:$(sim_port)/g" run.sh
    run
    expect "$case: exit $code" [ "$code" = "$wanted" ]
    expect "$case: $by restores" [ "$(restores)" = "$by" ]
}

if later "a throttle is waited for" 0 2 -e "$(fault '{on: {method: GET, path: /backupJobs}, nth: 1, do: {status: 429, retryAfter: 150}}')"; then
    says 'asked again in 150 s'
    says 'waiting for Azure to answer: 2 min'
    sim_stop
fi
if later "a throttle without end" 1 0 -e "$(fault '{on: {method: GET, path: /backupJobs}, every: true, do: {status: 429, retryAfter: 100}}')"; then
    says "the vault's jobs cannot be listed"
    expect "is waited for a quarter of an hour" [ "$(count 'asked again in 100 s' stderr)" = 9 ]
    sim_stop
fi
if later "a claim's account that is busy once" 0 2 -e "$(fault '{on: {method: GET, path: /reinstate-claims}, nth: 1, do: {status: 503, code: ServerBusy}}')"; then
    expect "has both triggers claimed" [ "$(count 'claim [0-9a-f]{40}-0 taken' stderr)" = 2 ]
    sim_stop
fi
if later "a gateway's 404 before a claim's account" 1 0 -e "$(fault '{on: {method: GET, path: /reinstate-claims}, every: true, do: {status: 404, body: "<html>"}}')"; then
    says 'whether a claim stands in storage account stpayrolldr cannot be told (404'
    sim_stop
fi
# no_list NAME BODY: what the vault answers in place of its list of jobs.
no_list() {
    if later "$1 in place of the list of jobs" 1 0 -e "$(fault "{on: {method: GET, path: /backupJobs}, every: true, do: {status: 200, body: '$2'}}")"; then
        says "$3; nothing was triggered"
        sim_stop
    fi
}
no_list "an error" '{"error":{"code":"InternalServerError","message":"try again"}}' "the vault's list of jobs cannot be read"
no_list "a list under another name" '{"Value":[]}' "the vault's list of jobs cannot be read"
no_list "a page on which something else is listed" '{"value":[7]}' "the vault's list of jobs cannot be read"
no_list "a page behind a link that is none" '{"value":[],"NextLink":7}' "the vault's list of jobs does not say where it goes on"
# A job of this machine that somebody began after the order. job_there OPERATION STATUS POINT
job_there() {
    at=/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg-payroll-backup/providers/Microsoft.RecoveryServices/vaults/rsv-payroll/backupJobs
    id=11111111-1111-4111-8111-111111111111
    bag="Job Type: Recover disks, Target VM Name: vmName, Target Storage Account Name: stpayrolldr, \"Recovery point time \": \"$3\", Target resource group: rg-payroll-dr"
    ended=
    [ "$2" = InProgress ] || ended=', endTime: 2026-11-23T02:50:00Z'
    echo "s#^  jobs: \\[\\].*#  jobs: [{id: $at/$id, name: $id, type: Microsoft.RecoveryServices/vaults/backupJobs, properties: {jobType: AzureIaaSVMJob, entityFriendlyName: payroll-01, backupManagementType: AzureIaasVM, operation: $1, status: $2, startTime: 2026-11-23T02:05:00Z$ended, containerName: iaasvmcontainerv2;rg-payroll;payroll-01, extendedInfo: {propertyBag: {$bag}}}}]#"
}
if later "a restore into the paired region that runs" 1 0 -e "$(job_there CrossRegionRestore InProgress '11/13/2026 8:01:03 PM')"; then
    says 'job 11111111-1111-4111-8111-111111111111 restores this machine already, otherwise than this step would'
    sim_stop
fi
if later "a completed restore whose point is told without AM or PM" 1 0 -e "$(job_there Restore Completed '11/13/2026 8:01:03')"; then
    says 'job 11111111-1111-4111-8111-111111111111 (Completed) may be this very restore: the time of its point cannot be read exactly'
    sim_stop
fi
if later "a completed restore whose point may mean two days" 1 0 -e "$(job_there Restore Completed '12/11/2026 20:01:11')"; then
    says 'job 11111111-1111-4111-8111-111111111111 (Completed) may be this very restore: the time of its point cannot be read exactly'
    sim_stop
fi
if later "a completed restore from another point" 0 3 -e "$(job_there Restore Completed '11/12/2026 8:01:03 PM')"; then
    sim_stop
fi
# Of the lists of jobs, two for each look, the fifth is the last look's: by then the claim is older than a minute.
if later "a claim that has grown old before its trigger" 0 2 -e "$(fault '{on: {method: GET, path: /backupJobs}, nth: 5, do: {status: 429, retryAfter: 100}}')"; then
    expect "is renewed" [ "$(count 'PUT.*reinstate-claims.*renewed' sim-record)" -ge 1 ]
    sim_stop
fi
# point_read TEXT TIME: what a runbook makes of the time of a job's point; no time: it cannot be read.
point_read() {
    seen=$(bash -c '. "$0/../providers/runbook/jobs.sh"; text=$1; bag() { printf "%s\n" "$text"; }; job_point' \
        "$here" "$1" | jq -r todate)
    expect "the point of \"$1\" is read as ${2:-nothing}: $seen" [ "$seen" = "$2" ]
}
point_read '11/13/2026 8:01:03 PM' 2026-11-13T20:01:03Z
point_read '13/11/2026 8:01:03 PM' 2026-11-13T20:01:03Z
point_read '11/12/2026 12:01:03 a.m.' 2026-11-12T00:01:03Z
point_read '11/13/2026 20:01:03' 2026-11-13T20:01:03Z
point_read '12.11.2026 8:01:11' 2026-11-12T08:01:11Z
point_read '2026-11-12T20:01:11.5Z' 2026-11-12T20:01:11Z
point_read '12/11/2026 20:01:11' ''
point_read '11/13/2026 8:01:03' ''
point_read '13/13/2026 8:01:03 PM' ''
point_read '31/02/2026 20:01:03' ''
point_read '20. November 2026 um 20 Uhr' ''
absent() {
    bash -c '. "$0/../providers/runbook/bash.sh" && printf "HTTP/1.1 404\n" >"$work/head" && printf %s "$1" >"$work/body" && absent' "$here" "$1"
}
expect "a service's word that there is no such job counts" absent '{"error": {"code": "ResourceNotFound"}}'
for body in '{"error": {"code": "RouteNotFound"}}' '<html>' ''; do
    if absent "$body"; then no "a gateway's word does not: $body"; else ok "a gateway's word does not: $body"; fi
done

# --- the order's window ------------------------------------------------------------------------------------------------------------

quick window.yaml -e "$writes_claims"
if begin 01-lost-key "$dir/window.yaml"; then
    # The waits of this one are its second look: the laptop is closed meanwhile.
    {
        echo '#!/bin/sh'
        echo "exec '$dir/pause' 259200"
    } >closed
    chmod +x closed
    run closed
    expect "an order that ends between the looks and the trigger: exit $code" [ "$code" = 1 ]
    says 'order inc-4711 ended at 2026-11-25T02:00:00'
    expect "its claim had been taken" [ "$(count 'claim [0-9a-f]{40}-0 taken' stderr)" = 1 ]
    run
    expect "days later it triggers nothing: exit $code" [ "$code" = 1 ]
    says 'order inc-4711 ended at 2026-11-25T02:00:00'
    expect "and claims nothing" [ "$(count 'claim [0-9a-f]{40}-[0-9]+ taken' stderr)" = 0 ]
    expect "nothing is restored" [ "$(restores)" = 0 ]
    sed -i "s/not_after='[^']*'/not_after='2027-11-25T02:00:00Z'/" run.sh
    run
    expect "with a longer order it goes on, since the claim says that nothing was triggered: exit $code" [ "$code" = 0 ]
    expect "by the next claim" [ "$(count 'claim [0-9a-f]{40}-1 taken' stderr)" = 1 ]
    expect "and two restores" [ "$(restores)" = 2 ]
    sim_stop
fi
if begin 01-lost-key "$dir/window.yaml"; then
    run
    expect "within its window it is carried out: exit $code" [ "$code" = 0 ]
    ./pause 3456000
    run
    expect "forty days later it sees its own jobs: exit $code" [ "$code" = 0 ]
    expect "and triggers nothing" [ "$(restores)" = 2 ]
    # Another order, which begins in the middle of that restore.
    step=$(sed -n 's/^\([0-9]*\)\. .*#restore-vm$/\1/p' stderr)
    end=$(grep -oE '"endTime": "[^"]*' sim-world.yaml | cut -d'"' -f4 | sort | tail -n 1)
    sed -i -e "s/^\( *since=\)[^ ]*/\1'$end'/" -e "s/not_after='[^']*'/not_after='2027-11-25T02:00:00Z'/" run.sh
    REINSTATE_PAUSE=$dir/pause bash run.sh "$step" >stdout 2>stderr </dev/null
    code=$?
    expect "a job that began before the order, and that its claim names: exit $code" [ "$code" = 0 ]
    sed -i "s/order='[^']*'/order='inc-4712'/" run.sh
    REINSTATE_PAUSE=$dir/pause bash run.sh "$step" >stdout 2>stderr </dev/null
    code=$?
    expect "one that no claim names for this order: exit $code" [ "$code" = 1 ]
    says 'began before order inc-4712, and no claim names it for this order'
    expect "nothing more is triggered" [ "$(restores)" = 2 ]
    sim_stop
fi
if later "a claim that somebody has taken over before the trigger" 1 0 \
    -e "$(fault "{on: {method: GET, path: /reinstate-claims/}, nth: 1, do: {status: 200, headers: {ETag: '\"0x8DOTHER\"'}, body: '{\"ended\": \"taken over: Grace H\"}'}}")"; then
    says 'is no longer as we wrote it: somebody has taken it over (ended: taken over: Grace H'
    expect "and nothing is noted in it" [ "$(count '"PUT","uri":"[^"]*/reinstate-claims/' sim-record)" = 2 ]
    sim_stop
fi

# --- what somebody else has made meanwhile -----------------------------------------------------------------------------------------

# set_there KEY-URL: a disk encryption set of the declared name.
set_there() {
    echo "/^  resources:/a\\    - {id: /subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg-payroll-dr/providers/Microsoft.Compute/diskEncryptionSets/des-payroll, location: uaenorth, identity: {type: SystemAssigned, principalId: 0f0f0f0f-0000-4000-8000-0000000000d5}, properties: {encryptionType: ConfidentialVmEncryptedWithCustomerKey, rotationToLatestKeyVersionEnabled: false, provisioningState: Succeeded, activeKey: {keyUrl: \"$1\"}}}"
}
if later "a colleague's set on another key is not pointed elsewhere" 1 1 -e "$(set_there https://kv-payroll.vault.azure.net/keys/other/00000000000000000000000000000001)"; then
    says 'it is there, and neither as declared nor as it was when this runbook was made'
    expect "it is not written" [ "$(count '"PUT","uri":"[^"]*/diskEncryptionSets/' sim-record)" = 0 ]
    sim_stop
fi

# --- answers that lead elsewhere, and texts that would be obeyed --------------------------------------------------------------------

# A second server, whose certificate would be trusted: whatever it is asked for stands in its record.
other=$dir/other
mkdir "$other"
"$binary" sim --world "$here/../examples/01-lost-key/world.yaml" --speed 0 --write-cloud "$other/cloud.yaml" --record "$other/record" \
    >"$other/out" 2>&1 &
started="$started $!"
within test -f "$other/cloud.yaml" || no "a second server starts" "$other/out"
port=$(sed -n 's/.*"arm": "[^"]*:\([0-9]*\)".*/\1/p' "$other/cloud.yaml")

# What no output may hold, and no shell may run; each kind of harm once.
poison=$(printf '%s' 'X\n::error::INJECTED\r\n##vso[task.setvariable]INJECTED\u001b[31mX\u0007\u009bX\u202eX\u2028X $(touch INJECTED) `touch INJECTED` \"; touch INJECTED; #' "'; touch INJECTED; '")
harm=$(printf '%s' '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|##[A-Za-z]*\[|^[ \t]*(INJECTED|::)')

# hostile WHAT FAULT-FILTER: jq makes the fault from $poison and $port; the runbook is stopped, and harms nobody.
hostile() {
    jq -acn --arg port "$port" --argjson poison "\"$poison\"" "[$2]" | sed 's/^/  faults: /' >faults
    quick hostile.yaml -e "$writes_claims" -e '/^  faults: \[\]/{r faults' -e 'd}'
    begin 01-lost-key "$dir/hostile.yaml" || return
    cat "$other/cloud.yaml.ca.pem" >>cloud.yaml.ca.pem
    run
    expect "$1 stops it: exit $code" [ "$code" = 1 ]
    says "$3"
    expect "the other host was asked for nothing" [ "$(count . "$other/record")" = 0 ]
    if LC_ALL=C grep -aqP "$harm" stdout stderr; then
        LC_ALL=C grep -aP "$harm" stdout stderr | cat -v >harmed
        no "$1: what would be obeyed is shown" harmed
    else
        ok "nothing that would be obeyed is shown"
    fi
    expect "nothing of it is executed" [ ! -e INJECTED ]
    sim_stop
}

elsewhere='no token is sent there'
# The tool asks for two lists while it writes the runbook; the third is the runbook's own.
hostile "a next page on another host" '{on: {method: "GET", path: "/backupJobs"}, nth: 3, do: {status: 200,
    body: ({value: [], nextLink: "https://management.localhost:\($port)/a"} | tojson)}}' "$elsewhere"
hostile "an operation on another host" '{on: {method: "POST", path: "/restore"}, do: {status: 202, body: "{}",
    headers: {"Azure-AsyncOperation": "https://management.localhost:\($port)/a"}}}' "$elsewhere"
hostile "a location on another host, behind our own as a user" '{on: {method: "POST", path: "/restore"}, do: {status: 202, body: "{}",
    headers: {"Location": "https://management.localhost@management.localhost:\($port)/a"}}}' "$elsewhere"
hostile "an account that is another host" '{on: {method: "GET", path: "/backupJobs/"}, every: true, do: {status: 200, body: ({name: $poison,
    properties: {status: "Failed", entityFriendlyName: $poison, extendedInfo: {propertyBag: {"Recovery Point Time": $poison,
        "Config Blob Container Name": $poison, "Secured Encryption Info Blob Name": $poison,
        "Target Storage Account Name": "management.localhost:\($port)/\($poison)"}}}} | tojson)}}' "$elsewhere"
hostile "a failure in hostile words" '{on: {method: "GET", path: "/backupJobs/"}, every: true, do: {status: 200, body: ({name: $poison,
    properties: {status: "Failed", endTime: $poison, errorDetails: [{errorString: $poison, ($poison): 1}],
        extendedInfo: {propertyBag: {($poison): $poison}}}} | tojson)}}' 'the job left no key'
hostile "a refusal in hostile words" '{on: {method: "POST", path: "/restore"}, do: {status: 400, body: ({error: {code: $poison, message: $poison}} | tojson)}}' \
    'Azure refused the restore'

checks_end
