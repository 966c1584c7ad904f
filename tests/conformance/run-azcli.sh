#!/bin/sh
# Debian's azure-cli, a client that nobody here wrote, against the simulated Azure as a private cloud of its own; and a runbook by it.
#   run-azcli.sh BINARY
# Microsoft's validator judges every exchange; those in api-versions it has no specification of are listed in unjudgeable.json.
# Where azure-cli, node or the specifications cannot be had that is named as skipped; with CI set it is a failure.
set -u

binary=$(realpath "$1") || exit 2
here=$(cd "$(dirname "$0")" && pwd)
checkout=$(cd "$here/../.." && pwd)
dir=$(mktemp -d)
specs=${REINSTATE_SPECS:-${REINSTATE_SHARED:-$checkout/../shared}/azure/specs}
sim=
passed=0 failed=0

stop_sim() {
    [ -z "$sim" ] || kill -TERM "$sim" 2>/dev/null
    wait
    sim=
}
finish() {
    stop_sim
    rm -rf "$dir"
}
trap finish EXIT
trap 'exit 1' INT TERM

if ! sh "$checkout/tests/install.sh" azure-cli >"$dir/install" 2>&1; then
    tail -3 "$dir/install"
    echo "skipped: azure-cli cannot be installed here"
    echo "azcli: 0 passed, 0 failed, 1 skipped"
    [ -z "${CI:-}" ]
    exit
fi

# Before the shell's proxies are taken away below: npm may need them.
unjudged=
if [ ! -d "$specs/specification" ]; then
    unjudged="no specifications (set REINSTATE_SPECS)"
elif ! command -v node >/dev/null; then
    unjudged="there is no node"
elif [ ! -d "$here/node_modules/oav" ] && ! (cd "$here" && npm ci --no-audit --no-fund --silent); then
    unjudged="the packages cannot be installed"
fi

# --- the cloud -----------------------------------------------------------------------------------------------------------

# The story of the example one night earlier: the key is still there.
sed 's/state: purged/state: active/' "$checkout/examples/01-lost-key/world.yaml" >"$dir/world.yaml"
# begin_sim OPTION...
begin_sim() {
    rm -f "$dir/sim"
    "$binary" sim --world "$dir/world.yaml" --write-cloud "$dir/cloud.json" "$@" >"$dir/sim" 2>&1 &
    sim=$!
    until grep -qs '^https:' "$dir/sim"; do
        if ! kill -0 "$sim" 2>/dev/null; then
            cat "$dir/sim"
            echo "azcli: 0 passed, 1 failed: the simulator does not start"
            exit 1
        fi
        sleep 0.1
    done
    arm=$(cell arm)
    port=${arm##*:}
}

cell() {
    sed -n "s/^ *\"$1\": \"\(.*\)\".*/\1/p" "$dir/cloud.json"
}
begin_sim --record "$dir/azcli.jsonl"
subscription=0f0f0f0f-0000-4000-8000-000000000002
tenant=0f0f0f0f-0000-4000-8000-000000000001
app=0f0f0f0f-0000-4000-8000-00000000000b

# Whatever the shell presets must not redirect the client: the simulator has an authority of its own.
unset SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE HTTPS_PROXY https_proxy HTTP_PROXY http_proxy ALL_PROXY all_proxy
AZURE_CONFIG_DIR=$dir/azure
AZURE_CORE_COLLECT_TELEMETRY=0
AZURE_CORE_NO_COLOR=1
REQUESTS_CA_BUNDLE=$(cell caFile)
PYTHONPATH=$here/azcli
PYTHONDONTWRITEBYTECODE=1
export AZURE_CONFIG_DIR AZURE_CORE_COLLECT_TELEMETRY AZURE_CORE_NO_COLOR REQUESTS_CA_BUNDLE PYTHONPATH PYTHONDONTWRITEBYTECODE

# --- checks --------------------------------------------------------------------------------------------------------------

# check WHAT EXPECTED az-arguments...: the command succeeds and prints exactly this (tab-separated, newlines as blanks).
check() {
    what=$1 expected=$2
    shift 2
    az "$@" -o tsv --only-show-errors >"$dir/out" 2>"$dir/err" </dev/null
    code=$?
    got=$(tr '\t\n' '  ' <"$dir/out" | sed 's/  *$//')
    if [ "$code" = 0 ] && [ "$got" = "$expected" ]; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what: exit $code, got \"$got\", expected \"$expected\""
        tail -5 "$dir/err"
    fi
}

# refused WHAT EXIT TEXT az-arguments...: the command fails with this exit code and says this.
refused() {
    what=$1 expected=$2 text=$3
    shift 3
    az "$@" -o tsv --only-show-errors >"$dir/out" 2>"$dir/err" </dev/null
    code=$?
    if [ "$code" = "$expected" ] && grep -qF "$text" "$dir/err"; then
        passed=$((passed + 1))
        echo "ok      $what"
    else
        failed=$((failed + 1))
        echo "FAILED  $what: exit $code instead of $expected, or \"$text\" is not in:"
        tail -5 "$dir/err"
    fi
}

# as_cloud: the simulator that was begun last, and its operator.
as_cloud() {
    REQUESTS_CA_BUNDLE=$(cell caFile)
    rm -rf "$AZURE_CONFIG_DIR"
    # MSAL asks Microsoft about every authority but one that ends in /adfs.
    az cloud register -n Sim --endpoint-resource-manager "$arm/" --endpoint-management "$arm/" \
        --endpoint-active-directory "$(cell authority)/adfs" --endpoint-active-directory-resource-id "$(cell armAudience)" \
        --endpoint-active-directory-graph-resource-id "$(cell graph)/" --suffix-keyvault-dns "$(cell vaultSuffix)" \
        --suffix-storage-endpoint "localhost:$port" --only-show-errors
    az cloud set -n Sim --only-show-errors
    az login --service-principal -u $app -p sim-client-secret --tenant $tenant --allow-no-subscriptions -o none --only-show-errors
}

# MSAL asks Microsoft about every authority but one that ends in /adfs.
check "cloud register" "" cloud register -n Sim --endpoint-resource-manager "$arm/" --endpoint-management "$arm/" \
    --endpoint-active-directory "$(cell authority)/adfs" --endpoint-active-directory-resource-id "$(cell armAudience)" \
    --endpoint-active-directory-graph-resource-id "$(cell graph)/" --suffix-keyvault-dns "$(cell vaultSuffix)" \
    --suffix-storage-endpoint "blob.localhost:$port"
check "cloud set" "" cloud set -n Sim
refused "login with a wrong secret" 1 "AADSTS7000215" \
    login --service-principal -u $app -p wrong --tenant $tenant --allow-no-subscriptions
check "login" "Sim $subscription $tenant $app" \
    login --service-principal -u $app -p sim-client-secret --tenant $tenant --allow-no-subscriptions \
    --query '[].[cloudName, id, tenantId, user.name]'
check "account list" "$subscription Enabled" account list --query '[].[id, state]'
check "group list: what the operator may read" "rg-payroll rg-payroll-dr" group list --query '[].name'

vault=/subscriptions/$subscription/resourceGroups/rg-payroll-keys/providers/Microsoft.KeyVault/vaults/kv-payroll
check "keyvault show" "kv-payroll true true 7 https://kv-payroll.vault.localhost:$port/" keyvault show -g rg-payroll-keys -n kv-payroll \
    --query '[name, to_string(properties.enableRbacAuthorization), to_string(properties.enablePurgeProtection),
              to_string(properties.softDeleteRetentionInDays), properties.vaultUri]'
check "keyvault list" "$vault" keyvault list --query '[].id'

protected="VM;iaasvmcontainerv2;rg-payroll;payroll-01"
container="IaasVMContainer;iaasvmcontainerv2;rg-payroll;payroll-01"
backup="-g rg-payroll-backup -v rsv-payroll"
check "backup vault show" "rsv-payroll Standard Succeeded" backup vault show -g rg-payroll-backup -n rsv-payroll \
    --query '[name, sku.tier, properties.provisioningState]'
check "backup item list" "$protected AzureIaasVM" backup item list $backup --query '[].[name, properties.backupManagementType]'
check "backup recoverypoint list" "805440379213870 805440465632125" backup recoverypoint list $backup -c "$container" -i "$protected" \
    --query 'sort_by([], &name)[].name'
check "backup job list: none" "" backup job list $backup
check "resource list by type" "stpayrolldr StorageV2" resource list --resource-type Microsoft.Storage/storageAccounts --query '[].[name, kind]'
check "storage account keys list" "key1 key2" storage account keys list -g rg-payroll-dr -n stpayrolldr --query '[].keyName'

key=https://kv-payroll.vault.localhost:$port/keys/payroll-os/3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5
confidential=ConfidentialVmEncryptedWithCustomerKey
refused "disk-encryption-set show: absent" 3 "(ResourceNotFound)" disk-encryption-set show -g rg-payroll-dr -n des-dr
check "disk-encryption-set list: none" "" disk-encryption-set list -g rg-payroll-dr
# It polls as the simulator's Retry-After tells it to, in real time.
check "disk-encryption-set create, polled to its end" "des-dr Succeeded $confidential $key SystemAssigned" \
    disk-encryption-set create -g rg-payroll-dr -n des-dr -l uaenorth --key-url "$key" --source-vault "$vault" \
    --encryption-type $confidential --query '[name, provisioningState, encryptionType, activeKey.keyUrl, identity.type]'
check "disk-encryption-set show" "des-dr $confidential $vault" disk-encryption-set show -g rg-payroll-dr -n des-dr \
    --query '[name, encryptionType, activeKey.sourceVault.id]'
check "disk-encryption-set list" "des-dr" disk-encryption-set list -g rg-payroll-dr --query '[].name'
check "disk-encryption-set list-associated-resources" "" disk-encryption-set list-associated-resources -g rg-payroll-dr -n des-dr
refused "disk-encryption-set update to a version that is not there" 1 "(InvalidParameter)" \
    disk-encryption-set update -g rg-payroll-dr -n des-dr --key-url "${key%5}6"
refused "disk-encryption-set create without the right" 1 "(AuthorizationFailed)" \
    disk-encryption-set create -g rg-payroll -n des-no -l uaenorth --key-url "$key" --source-vault "$vault"

# One resource at the api-versions of four generations of clients.
for version in 2022-03-02 2022-07-02 2024-03-02 2025-01-02; do
    check "rest: disk encryption set at $version" "des-dr" rest --method get --query name --url \
        "$arm/subscriptions/$subscription/resourceGroups/rg-payroll-dr/providers/Microsoft.Compute/diskEncryptionSets/des-dr?api-version=$version"
done
refused "rest: a path that is none" 1 "InvalidResourceType" \
    rest --method get --url "$arm/subscriptions/$subscription/providers/Microsoft.Compute/nonsense?api-version=2025-01-02"

# --- the runbook --------------------------------------------------------------------------------------------------------

stop_sim
. "$here/azcli-runbook.sh"

# --- the same exchanges, judged ------------------------------------------------------------------------------------------

if [ -n "$unjudged" ]; then
    echo "skipped: azcli: the exchanges are not judged: $unjudged"
    [ -z "${CI:-}" ] || failed=$((failed + 1))
elif [ "$failed" != 0 ]; then
    echo "azcli: failed: what was exchanged is not judged"
else
    # shellcheck disable=SC2034 # judge takes it
    JUDGE=$here/judge.mjs
    . "$here/judged.sh"
    for mode in "" --closed; do
        # shellcheck disable=SC2086 # the mode is one word or none
        judge "$dir/verdict" $mode --own-used "$specs" "$dir/azcli.jsonl"
        violations_of "$dir/verdict"
        failed=$((failed + violations))
        tail -1 "$dir/verdict"
    done
fi

echo "azcli: $passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
