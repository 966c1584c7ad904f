#!/bin/sh
# doctor: doctor.sh BINARY [--update]. The roles that it prints are all that a recovery takes: with them alone the examples are
# recovered. Then each right is taken away in turn: doctor names it with its scope, and plan and apply what they need of it.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?doctor.sh BINARY}") || exit 1
update=${2:-}
. "$here/checks.sh"
checks_begin doctor
examples=$(cd "$here/../examples" && pwd) || exit 1
cd "$dir" || exit 1
parts="read read-subscription read-data act make recover grant act-data"

# The simulated Azure lets everybody read these, and leaves out of a list what one may not read.
unguarded="Microsoft.Authorization/permissions/read Microsoft.Authorization/roleDefinitions/read
    Microsoft.Resources/subscriptions/resourceGroups/resources/read"
# Azure's documents name these beside an act; no step asks for them by itself, and the simulated Azure does not ask for them.
beside="operationResults/read operationsStatus/read networkInterfaces/write"
# Asked of a thing only in another state than that of the examples: a machine that is there, a store that is deleted.
otherwise="instanceView/read deletedVaults/read deletedManagedHsms/read"

subscription=/subscriptions/0f0f0f0f-0000-4000-8000-000000000002
cat >everything <<END
    - {principal: operator, role: Owner, scope: $subscription}
    - {principal: operator, role: Key Vault Administrator, scope: $subscription}
    - {principal: operator, role: Storage Blob Data Contributor, scope: $subscription}
END
: >none
cat >everything-local <<END
    - {store: hsm-ledger-ne, principal: operator, role: Managed HSM Crypto User, scope: /keys}
    - {store: hsm-ledger-ne, principal: operator, role: Managed HSM Crypto Officer, scope: /}
END

# world_with EXAMPLE ROLES GIVEN LOCAL: the example's world, in which the operator holds these and nothing else. All three are files
# of YAML list items; LOCAL: roles of managed HSMs.
world_with() {
    awk -v roles="$2" -v given="$3" -v local="$4" '
        function put(file,    line) { while ((getline line < file) > 0) print line; close(file) }
        /principal: operator/ { next }
        { print }
        /^  roleAssignments:/ { put(given) }
        /^  hsmRoleAssignments:/ { put(local) }
        END { if ((getline line < roles) > 0) { print "  roleDefinitions:"; print line; put(roles) } }
    ' "$examples/$1/world.yaml"
}

# run COMMAND EXAMPLE WORLD ARGUMENT...: with the example's manifests
run() {
    command=$1 example=$2 world=$3
    shift 3
    "$binary" "$command" -f "$examples/$example/estate.yaml" -f "$examples/$example/policy.yaml" --world "$world" "$@" 2>err
}

# The same with the order.
ordered() {
    example=$2
    run "$@" -f "$examples/$example/activation.yaml"
}

# roles_printed EXAMPLE WORLD: the roles as files, and as the world takes them in `roles`, `given` and `local`
roles_printed() {
    rm -f role-*.json
    : >roles
    n=0
    for part in $parts; do
        n=$((n + 1))
        run doctor "$1" "$2" --role "$part" >"role-$part.json" || { rm "role-$part.json"; continue; }
        jq -c --arg id "0f0f0f0f-0000-4000-8000-0000000000f$n" \
            '{id: $id, name: .Name, actions: .Actions, dataActions: .DataActions}' "role-$part.json" | sed 's/^/    - /' >>roles
    done
    run doctor "$1" "$2" --assign >assign
    sed -n "s|^az role assignment create .* --role '\(.*\)' --scope '\(.*\)'|    - {principal: operator, role: \1, scope: \2}|p" assign >given
    sed -n "s|^az keyvault role assignment create --hsm-name \([^ ]*\) .* --role '\(.*\)' --scope \(.*\)|    - {store: \1, principal: operator, role: \2, scope: \3}|p" assign >local
}

# as_az_wants FILE: what `az role definition create` asks of a definition
as_az_wants() {
    jq -e '(keys | sort) == ["Actions", "AssignableScopes", "DataActions", "Description", "IsCustom", "Name", "NotActions", "NotDataActions"]
        and (.Name | type == "string" and length > 0 and length <= 128) and .IsCustom == true
        and (.Description | type == "string" and length > 0)
        and ([.Actions, .NotActions, .DataActions, .NotDataActions, .AssignableScopes | type == "array"] | all)
        and (.Actions + .DataActions | length > 0 and all(test("^Microsoft\\.[A-Za-z]+/[A-Za-z/]+/(read|write|action)$")))
        and ((.Actions | length == 0) or (.DataActions | length == 0))
        and (.AssignableScopes | length > 0 and all(test("^/subscriptions/[0-9a-f-]{36}(/resourceGroups/[^/]+)?$")))' "$1"
}

among() {
    for one in $2; do
        case $1 in *"$one") return 0 ;; esac
    done
    return 1
}

# without EXAMPLE ACTION: the world of the printed roles less this right, in fewer.yaml
without() {
    sed "s|\"$2\",||; s|,\"$2\"||; s|\"$2\"||" roles >fewer
    world_with "$1" fewer given local >fewer.yaml
}

# One line for doctor and one for plan with apply, for each right of each printed role.
each_taken() {
    for action in $(jq -r '.Actions[], .DataActions[]' role-*.json | sort -u); do
        among "$action" "$unguarded" && continue
        without "$1" "$action"
        run doctor "$1" fewer.yaml -o json >out
        code=$?
        jq -r --arg a "$action" '.rights[] | select(.action == $a and .state != "ok") | .scope' out >scopes
        wish=$(jq --arg a "$action" '[.rights[] | select(.action == $a)] | all(.wish == true)' out)
        [ "$wish" = true ] && code=$((code + 2))
        if [ "$code" = 2 ] && [ -s scopes ]; then ok "$1 without $action: doctor"; else no "$1 without $action: doctor ($code)" out err; fi
        reads_named "$1" "$action"
        [ "$wish" = true ] || among "$action" "$beside" || plan_names "$1" "$action"
    done
}

# Of what plan reads, it says what is refused, with the right's name: what it does not see it does not pass for fine.
reads_named() {
    among "$2" "$otherwise" && return
    jq -e --arg a "$2" '[.rights[] | select(.action == $a and (.acting | not) and .state != "ok" and (.commands | index("plan")))] | length > 0' out >/dev/null || return 0
    ordered plan "$1" fewer.yaml >read-out
    cat err >>read-out
    if grep -qiF "$2" read-out; then ok "$1 without $2: plan reads"; else no "$1 without $2: plan reads" read-out; fi
}

# Of what the steps due now ask for, plan and apply say what lacks, and apply writes nothing that leads there.
plan_names() {
    by=$(jq -r --arg a "$2" '[.rights[] | select(.action == $a and .acting and .state != "ok") | .by][0] // empty' out)
    scope=$(head -n 1 scopes)
    [ -n "$by" ] || return 0
    grep -qxF "$by" due || return 0
    ordered plan "$1" fewer.yaml >out
    if grep -q "needs $2 at $scope" out; then ok "$1 without $2: plan"; else no "$1 without $2: plan" out err; fi
    ordered apply "$1" fewer.yaml --auto-approve --journal none --world-out after.yaml >out
    code=$?
    if [ $code -ge 3 ] && grep -q "needs $2 at $scope" out err; then ok "$1 without $2: apply"; else no "$1 without $2: apply ($code)" out err; fi
}

# golden NAME: what was printed, against what is kept
golden() {
    if [ "$update" = --update ]; then cp out "$here/doctor/$1"; fi
    if cmp -s out "$here/doctor/$1"; then ok "$1"; else diff "$here/doctor/$1" out >differs; no "$1" differs; fi
}

# --- what is printed is enough, and no right of it is too much ------------------------------------------------------------------

for example in 01-lost-key 02-deleted-key 03-lost-hsm-key; do
    world_with "$example" none everything everything-local >all.yaml
    roles_printed "$example" all.yaml
    for file in role-*.json; do
        if as_az_wants "$file" >/dev/null; then ok "$example: $file has the shape of a definition"; else no "$example: $file" "$file"; fi
    done
    world_with "$example" roles given local >least.yaml
    ordered apply "$example" "$examples/$example/world.yaml" --auto-approve --journal none --world-out after.yaml >out
    expected=$?
    ordered apply "$example" least.yaml --auto-approve --journal none --world-out after.yaml >out
    code=$?
    if [ $code = $expected ]; then ok "$example: the printed roles are enough"; else no "$example: the printed roles are enough ($code)" out err; fi
    ordered plan "$example" least.yaml -o json >out
    jq -r '.steps[] | select(.action != "none" and .action != "blocked") | .id' out >due
    if grep -q "We lack rights" out; then no "$example: plan lacks nothing" out; else ok "$example: plan lacks nothing"; fi
    run doctor "$example" least.yaml >out
    code=$?
    if [ $code = 0 ]; then ok "$example: doctor lacks nothing"; else no "$example: doctor lacks nothing ($code)" out err; fi
    each_taken "$example"
done

# --- what it looks like -------------------------------------------------------------------------------------------------------

cd "$examples/01-lost-key" || exit 1
# shellcheck disable=SC2154 # checks.sh sets dir
for form in text markdown json; do
    "$binary" doctor -f estate.yaml -f policy.yaml --world world.yaml -o $form >"$dir/out" 2>"$dir/err"
    code=$?
    cd "$dir" || exit 1
    golden "lost-key.$form"
    cd "$examples/01-lost-key" || exit 1
    if [ $code = 2 ]; then ok "$form: exit 2"; else no "$form: exit 2 ($code)" "$dir/err"; fi
done
"$binary" doctor -f estate.yaml -f policy.yaml --world world.yaml --assign >"$dir/out" 2>"$dir/err"
cd "$dir" || exit 1
golden lost-key.assign
checks_end
