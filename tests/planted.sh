#!/bin/sh
# Hostile texts: planted.sh BINARY. Escape sequences, line ends, bidirectional marks and orders to build servers stand in every field of
# the manifests, of the world behind every answer, and in status, code, message, body and headers of answers themselves; none may be in
# anything that a command prints. STEP=N plants in every Nth place only (default 12; 1 takes some ten minutes).
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?planted.sh BINARY}") || exit 1
example=$here/../examples/02-deleted-key
. "$here/checks.sh"
checks_begin planted
cd "$dir" || exit 1
step=${STEP:-12}
LC_ALL=C
export LC_ALL

# Each kind of harm once, with letters between so that a text may be cut anywhere.
poison='X\n::error::INJECTED\r\nINJECTED ##vso[task.setvariable]INJECTED ##[error]INJECTED\u001b[31mX\u0007\u009b2JX\u202eX\u2066X\u200fX\u061cX\u2028INJECTED\u007f'
printf '"%s"' "$poison" >full.json
# No manifest may hold a control character; what is left of the poison gets further.
printf '"%s"' "$poison" | sed 's/\\u001b//; s/\\u0007//; s/\\u007f//' >soft.json
cp full.json poison.json

# What no output may hold: control characters, C1, marks; a line that others began; an order wherever it stands.
harm=$(printf '%s' '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\x8b-\x8f\xa8-\xae]|\xe2\x81[\xa0-\xaf]|\xd8\x9c|##[A-Za-z]*\[|^[ \t]*INJECTED')

looked=0 harmed=0
# A manifest may hold such a character as an escape only, and jq writes one of them as it is.
escaped() {
    sed 's/\x7f/\\u007f/g'
}

documents() {
    jq -ac '.[]' | sed 's/^/---\n/' | escaped
}

# look WHERE COMMAND...: runs it and looks at both streams. Whether it succeeds is not asked; it must not die.
look() {
    where=$1
    shift
    looked=$((looked + 1))
    timeout 600 "$binary" "$@" >out 2>err </dev/null
    got=$?
    [ "$got" -le 4 ] || no "$where: $1 ended with $got" err
    pattern=$harm
    case " $* " in *" github "*) ;; *) pattern="$harm|^[ \\t]*::" ;; esac
    if grep -aqP "$pattern" out err; then
        harmed=$((harmed + 1))
        grep -aP "$pattern" out err | head -n 3 | cat -v | cut -c 1-300 >harmed
        no "$where: $*" harmed
    fi
    # An annotation is one of ours only with its title.
    case " $* " in
    *" github "*) if grep -a '^[[:space:]]*::' out | grep -aqvE '^::(error|warning|notice) ([a-z]+=[^,]*,)*title='; then
        harmed=$((harmed + 1))
        no "$where: $*" out
    fi ;;
    esac
}

# --- the material, as JSON ------------------------------------------------------------------------------------------------

"$binary" export --vault-name rsv-payroll --restore-to rg-payroll-dr,vnet-dr/default,stpayrolldr --world "$example/world.yaml" \
    --world-out world.json -o json >export.json 2>/dev/null
point=$(jq -r '.spec.backups[0].points[0].id' world.json)
jq --arg point "$point" '[.documents[] | .metadata.labels = {app: "payroll"} | .metadata.annotations = {"reinstate/suspend": "a reason", other: "text"}] + [
    {apiVersion: "reinstate/v1", kind: "Policy", metadata: {name: "guardrails"}, spec: {rules: [
        {name: "a-rule", match: {kind: "Key", name: "."}, when: {field: "step.action", op: "ne", value: "x"}, effect: "warn", message: "words"},
        {name: "held", match: {kind: "Key"}, effect: "require-approval", message: "more words"}]}},
    {apiVersion: "reinstate/v1", kind: "Activation", metadata: {name: "inc-1"}, spec: {restores: [], purpose: "recovery", incident: "INC",
        notBefore: "2026-11-23T02:00:00Z", notAfter: "2026-11-25T02:00:00Z"}}]
    | (map(select(.kind == "RestoredVirtualMachine"))[0].metadata.name) as $vm
    | map(if .kind == "Activation" then .spec.restores = [{virtualMachine: $vm, recoveryPoint: $point}] else . end)' export.json >estate.json
vm=$(jq -r 'map(select(.kind == "RestoredVirtualMachine"))[0].metadata.name' estate.json)
expect "there is an estate to plant in" [ "$(jq '[paths(strings)] | length' estate.json)" -gt 60 ]
expect "there is a world to plant in" [ "$(jq '[paths(strings)] | length' world.json)" -gt 200 ]

documents <estate.json >estate.yaml
"$binary" plan -f estate.yaml --world "$example/world.yaml" >out 2>err
expect "without anything planted they plan" [ $? = 0 ]

# --- manifests -----------------------------------------------------------------------------------------------------------------

# Every text in turn, then the name of every field: as a whole where the schema lets it, else as the end of what was there.
number=0
jq -c 'paths(strings) , (paths(objects) + ["*"])' estate.json >places
while read -r place; do
    number=$((number + 1))
    [ $((number % step)) = 0 ] || continue
    for poison in full soft; do
        jq -a --argjson p "$place" --slurpfile x $poison.json \
            'if $p[-1] == "*" then setpath($p[:-1] + [$x[0]]; "a value") else setpath($p; getpath($p) + $x[0]) end' estate.json |
            documents >estate.yaml
        for form in text json junit sarif github; do
            look "manifest $place" validate -f estate.yaml -o $form
        done
        [ $poison = soft ] || expect "manifest $place: a control character is refused" [ $got = 1 ]
    done
    grep -q '^valid' out || "$binary" validate -f estate.yaml >/dev/null 2>&1 || continue
    look "manifest $place" plan -f estate.yaml --world "$example/world.yaml"
    look "manifest $place" drift -f estate.yaml --world "$example/world.yaml" -o github
    look "manifest $place" drift -f estate.yaml --world "$example/world.yaml" -o junit
    look "manifest $place" forecast -f estate.yaml --world "$example/world.yaml" --verbose
    look "manifest $place" graph -f estate.yaml --steps --world "$example/world.yaml"
    look "manifest $place" graph -f estate.yaml --format mermaid
    look "manifest $place" activate -f estate.yaml --world "$example/world.yaml" "$vm" --newest
    look "manifest $place" apply -f estate.yaml --world "$example/world.yaml" --auto-approve --journal none
    for shell in powershell cli curl; do
        look "manifest $place" runbook -f estate.yaml --world "$example/world.yaml" --shell $shell
    done
done <places
expect "$looked outputs of manifests with something planted in each of $number places" [ "$harmed" = 0 -a "$looked" -ge $((10 * (number / step))) ]

# --- the world behind the answers --------------------------------------------------------------------------------------------------

jq 'map(if .kind == "Policy" then empty else . end | del(.metadata.annotations))' estate.json | documents >estate.yaml
manifests=$looked number=0
jq -c 'paths(strings), (paths(objects) | select(.[-1] == "tags" or .[-1] == "properties") + ["*"])' world.json >places
while read -r place; do
    number=$((number + 1))
    [ $((number % step)) = 0 ] || continue
    jq -a --argjson p "$place" --slurpfile x poison.json \
        'if $p[-1] == "*" then setpath($p[:-1] + [$x[0]]; "a value") else setpath($p; getpath($p) + $x[0]) end' world.json | escaped >world.yaml
    look "world $place" plan -f estate.yaml --world world.yaml
    [ "$got" != 1 ] || continue
    look "world $place" forecast -f estate.yaml --world world.yaml --verbose
    look "world $place" export --vault-name rsv-payroll --world world.yaml
    look "world $place" graph -f estate.yaml --lineage --world world.yaml
    look "world $place" apply -f estate.yaml --world world.yaml --auto-approve --journal none -o json
    look "world $place" runbook -f estate.yaml --world world.yaml --shell cli
    look "world $place" drift -f estate.yaml --world world.yaml -o sarif
done <places
expect "$((looked - manifests)) outputs of worlds with something planted in each of $number places" [ "$harmed" = 0 ]

# --- answers ---------------------------------------------------------------------------------------------------------------------------

# faulty PATH STATUS: code, message, body and headers of every answer of that address.
faulty() {
    jq -a --arg path "$1" --argjson status "$2" --argjson body "$3" --slurpfile x poison.json '.spec.faults = [{on: {path: $path}, every: true,
        do: ({status: $status, headers: {"x-ms-request-id": ("id" + ($x[0] | gsub("[\r\n]"; " "))), "Retry-After": "1",
              "Location": ("https://example.invalid/" + ($x[0] | gsub("[\r\n]"; " ")))}}
            + if $body then {body: ("{\"error\":{\"code\":" + ($x[0] | tojson) + ",\"message\":" + ($x[0] | tojson)
                + ",\"details\":[{\"code\":" + ($x[0] | tojson) + ",\"message\":" + ($x[0] | tojson) + "}]}}")}
              else {code: ("Code" + $x[0]), message: ("Words" + $x[0])} end)}]' world.json | escaped >world.yaml
}

worlds=$looked number=0
for path in /token /resourcegraph/ /vaults/kv-payroll /keys/payroll-os /deletedkeys/ /diskencryptionsets/ /virtualmachines/ /disks/ \
    /backupprotecteditems /recoverypoints /backupjobs /roleassignments /policyassignments /locks /storageaccounts/ /subscriptions/ ''; do
    for answer in '200 true' '400 false' '401 true' '403 false' '403 true' '404 false' '409 false' '429 true' '500 false'; do
        number=$((number + 1))
        [ $((number % step)) = 0 ] || continue
        faulty "${path:-/}" ${answer% *} ${answer#* }
        look "answer $path $answer" plan -f estate.yaml --world world.yaml
        look "answer $path $answer" forecast -f estate.yaml --world world.yaml -o github
        look "answer $path $answer" apply -f estate.yaml --world world.yaml --auto-approve --journal none --settle 1s
    done
    faulty "${path:-/}" 403 true
    look "answer $path" export --vault-name rsv-payroll --world world.yaml
done
expect "$((looked - worlds)) outputs of hostile answers" [ "$harmed" = 0 ]

checks_end
