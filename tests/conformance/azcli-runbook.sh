# To be sourced by run-azcli.sh: the runbook for Azure CLI, its export pass carried out by az itself against a world whose clock moves
# on only where the script waits. Debian's az lacks what it needs for keys, so the runbook stops at the step after the pass.

quick=$dir/quick
mkdir "$quick"
sed 's/exportDuration: [0-9a-z]*/exportDuration: 1m/' "$checkout/examples/01-lost-key/world.yaml" >"$quick/world.yaml"
for part in estate activation policy; do
    cp "$checkout/examples/01-lost-key/$part.yaml" "$quick/$part"
done

# pass WHAT RESTORES TRIGGERS WORDS FAULT: the pass on a world with this fault in its script.
pass() {
    what=$1 restores=$2 triggers=$3 words=$4
    sed "s#^  faults: \[\]#  faults: [$5]#" "$quick/world.yaml" >"$dir/world.yaml"
    rm -f "$quick/record" "$quick/live"
    begin_sim --speed 0 --world-out "$quick/live" --record "$quick/record"
    as_cloud
    {
        echo '#!/bin/sh'
        echo "exec curl -gsS --fail --cacert '$(cell caFile)' -o /dev/null 'https://clock.localhost:$port'/\"\$1\""
    } >"$quick/pause"
    chmod +x "$quick/pause"
    AZURE_TENANT_ID=$tenant AZURE_CLIENT_ID=$app AZURE_CLIENT_SECRET=sim-client-secret "$binary" runbook --shell cli -f "$quick/estate" \
        -f "$quick/activation" -f "$quick/policy" --cloud "$dir/cloud.json" >"$quick/run.sh" 2>"$quick/err"
    CURL_CA_BUNDLE=$(cell caFile) REINSTATE_PAUSE=$quick/pause timeout 600 bash "$quick/run.sh" >"$quick/out" 2>"$quick/err" </dev/null
    done=$(grep -c '"operation": "Restore"' "$quick/live")
    asked=$(grep -c '"method":"POST","uri":"[^"]*/recoveryPoints/[0-9]*/restore?' "$quick/record")
    if [ "$done" = "$restores" ] && [ "$asked" = "$triggers" ] && grep -qF "$words" "$quick/err"; then
        passed=$((passed + 1))
        echo "ok      runbook: $what"
    else
        failed=$((failed + 1))
        echo "FAILED  runbook: $what: $done restores by $asked triggers, expected $restores by $triggers, and: $words"
        grep -v '^  |' "$quick/err" | tail -8
    fi
    if grep -qE 'eyJ[A-Za-z0-9_-]{10}' "$quick/out" "$quick/err"; then
        failed=$((failed + 1))
        echo "FAILED  runbook: $what: a token is shown"
    fi
    stop_sim
}

pass "one pass, claimed and followed to its end" 1 1 'ended Failed' ''
grep -q 'claim [0-9a-f]*-0 taken' "$quick/err" || { failed=$((failed + 1)); echo "FAILED  runbook: it is not claimed"; }
pass "a refused trigger ran nothing" 0 1 'Azure refused the restore: AuthorizationFailed; nothing was triggered' \
    '{on: {method: POST, path: /restore}, do: {status: 403, code: AuthorizationFailed}}'
pass "a refused poll after an accepted trigger is a question about it" 1 1 'the answer to the trigger was lost' \
    '{on: {method: GET, path: /operationsStatus/}, every: true, do: {status: 403, code: AuthorizationFailed}}'
pass "a lost answer is looked for, not repeated" 1 1 'the answer to the trigger was lost' \
    '{on: {method: POST, path: /restore}, do: {reset: after}}'
