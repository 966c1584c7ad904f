#!/bin/sh
# What can be found in manifests without Azure: validate.sh BINARY. Each fault is told with file, line and column, and with what would be
# right; each warning beside it leaves the exit code alone; what is right is not complained of.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?validate.sh BINARY}") || exit 1
example=$here/../examples/01-lost-key
# shellcheck disable=SC2016 # templates are meant as they stand
. "$here/checks.sh"
checks_begin validate
cd "$dir" || exit 1
S=/subscriptions/0f0f0f0f-0000-4000-8000-000000000002

# judged NAME EXIT WORDS PATH...   WORDS: what standard error must hold, separated by "|"; "-": nothing at all.
judged() {
    name=$1 code=$2 words=$3 faults=
    shift 3
    for path; do set -- "$@" -f "$path"; shift; done
    "$binary" validate "$@" >stdout 2>stderr </dev/null
    got=$?
    [ "$got" = "$code" ] || faults="$faults exit $got, not $code;"
    [ "$words" != - ] || [ ! -s stderr ] || faults="$faults it complains;"
    IFS='|'
    for word in $words; do
        [ "$word" = - ] || grep -qF -- "$word" stderr || faults="$faults does not say \"$word\";"
    done
    unset IFS
    if [ -z "$faults" ]; then ok "$name"; else no "$name:$faults" stdout stderr; fi
}

# edited NAME EXIT WORDS SED...: the example's estate with a change; one that changes nothing is no change.
edited() {
    name=$1 code=$2 words=$3
    shift 3
    sed "$@" "$example/estate.yaml" >x.yaml
    cmp -s x.yaml "$example/estate.yaml" && no "$name: the edit fits the example"
    judged "$name" "$code" "$words" x.yaml
}

# beside NAME EXIT WORDS: the estate and y.yaml.
beside() {
    cp "$example/estate.yaml" e.yaml
    judged "$1" "$2" "$3" e.yaml y.yaml
}

# document KIND NAME SPEC
document() {
    printf -- '---\napiVersion: reinstate/v1\nkind: %s\nmetadata: {name: %s}\nspec: %s\n' "$1" "$2" "$3"
}

edited "a comment more" 0 - '1s/^/# more\n/'

# --- ids --------------------------------------------------------------------------------------------------------------------

net=rg-payroll-dr/providers/Microsoft.Network
edited "a store of another type" 1 "x.yaml:24:10: spec.store is the id of a Microsoft.Storage/storageAccounts, and one of Microsoft.KeyVault/vaults or Microsoft.KeyVault/managedHSMs is expected|write it like .../providers/Microsoft.KeyVault/vaults/NAME or" \
    "s#^  store: kv-payroll#  store: {id: $S/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st}#"
edited "a store by its id" 0 - "s#^  store: kv-payroll#  store: {id: $S/resourceGroups/rg/providers/microsoft.keyvault/managedhsms/hsm}#"
edited "a backup vault of another type" 1 "x.yaml:62:10: spec.vault is the id of a Microsoft.KeyVault/vaults, and one of Microsoft.RecoveryServices/vaults is expected" \
    "s#^  vault: rsv-payroll#  vault: {id: $S/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv1}#"
edited "a backup policy of another type" 1 "x.yaml:63:11: spec.policy is the id of a Microsoft.RecoveryServices/vaults, and one of Microsoft.RecoveryServices/vaults/backupPolicies" \
    "s#^  vault: rsv-payroll#&\n  policy: $S/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/rsv-payroll#"
edited "a backup policy by its name" 0 - "s#^  vault: rsv-payroll#&\n  policy: enhanced#"
edited "a network for a subnet" 1 "x.yaml:76:13: spec.target.subnet is the id of a Microsoft.Network/virtualNetworks|NAME/subnets/NAME" "s#/subnets/default##"
edited "a misspelt namespace" 1 "x.yaml:76:13: spec.target.subnet is the id of a Microsoft.Netwrk/virtualNetworks/subnets" "s#Microsoft.Network#Microsoft.Netwrk#"
edited "a subscription by its name" 1 'x.yaml:76:13: spec.target.subnet: "prod" is no id of a subscription: that is a GUID|az account show --query id' "s#$S/resourceGroups/$net#/subscriptions/prod/resourceGroups/$net#"
edited "a misspelt part of an id" 1 'x.yaml:76:13: spec.target.subnet: "resourceGroup" stands where resourceGroups or providers belongs' "s#resourceGroups/$net#resourceGroup/$net#"
edited "a subnet in another subscription" 0 "x.yaml:76:13: warning: the subnet is in subscription 0f0f0f0f-0000-4000-8000-000000000009, the target in|declare a subnet in the target's subscription" \
    "s#$S/resourceGroups/$net#/subscriptions/0f0f0f0f-0000-4000-8000-000000000009/resourceGroups/$net#"
document RoleAssignment r "{scope: /subscriptions/prod/resourceGroups/rg, role: Reader, principal: {objectId: 0f0f0f0f-0000-4000-8000-000000000005}}" >y.yaml
beside "a scope of no subscription" 1 'y.yaml:5:15: spec.scope: "prod" is no id of a subscription'
document RoleAssignment r "{scope: $S/resourceGroups/rg, role: Reader, principal: {objectId: 0f0f0f0f-0000-4000-8000-000000000005}}" >y.yaml
beside "a group as a scope" 0 -

# --- names ------------------------------------------------------------------------------------------------------------------

edited "a subnet's name" 1 'x.yaml:76:13: spec.target.subnet: "de:fault" is no name that Azure gives to Microsoft.Network/virtualNetworks/subnets: 1 to 80' "s#/subnets/default#/subnets/de:fault#"
edited "a group's name in an id" 1 '"rg-payroll-dr." is no name that Azure gives to a resource group' "s#resourceGroups/$net#resourceGroups/rg-payroll-dr./providers/Microsoft.Network#"
edited "an account's name" 1 'x.yaml:77:21: spec.target.stagingAccount: "st_payroll" is no name that Azure gives to Microsoft.Storage/storageAccounts: 3 to 24 small letters and digits' "s#storageAccounts/stpayrolldr#storageAccounts/st_payroll#"
edited "an escrow account's name" 1 'x.yaml:27:23: spec.escrow.container: "stPayroll" is no name that Azure gives to' "s#^  enabled: true#  escrow: {container: https://stPayroll.blob.core.windows.net/escrow}#"
edited "a container's name" 1 'x.yaml:27:23: spec.escrow.container: "esc--row" is no name that Azure gives to a blob container: 3 to 63 small letters' "s#^  enabled: true#  escrow: {container: https://stpayroll.blob.core.windows.net/esc--row}#"
edited "an escrow container" 0 - "s#^  enabled: true#  escrow: {container: https://stpayroll.blob.core.windows.net/es-crow}#"
edited "a vault's name" 1 "x.yaml:17:14: spec.vaultName|3 to 24 letters, digits and single hyphens" "s#^  permissionModel#  vaultName: kv--payroll\n&#"
edited "a key's name" 1 "x.yaml:25:12: spec.keyName: \"payroll_os\" does not have the form of a key's name: letters, digits and -" "s#keyName: payroll-os#keyName: payroll_os#"
edited "a version" 1 "x.yaml:26:12: spec.version|32 hexadecimal digits" "s#version: 3d1c#version: xd1c#"
edited "a document's name" 1 "x.yaml:68:18: metadata.name|does not have the form of a document's name: letters and digits" "s#{name: payroll-01-dr,#{name: payroll 01,#"
edited "a region" 1 'x.yaml:10:13: spec.location: there is no region "uaenrth"; did you mean uaenorth?' "s#location: uaenorth#location: uaenrth#"

# --- windows ----------------------------------------------------------------------------------------------------------------

order() {
    document Activation n "{restores: $1, notBefore: $2, notAfter: $3, purpose: drill}"
}
vm='[{virtualMachine: payroll-01-dr, recoveryPoint: "1"}]'
order "$vm" 2099-01-03T00:00:00Z 2099-01-05T00:00:00Z >y.yaml
beside "a window to come" 0 -
order "$vm" 2099-01-03T00:00:00Z 2099-01-03T00:00:00Z >y.yaml
beside "an empty window" 1 "y.yaml:5:116: Activation/n: the window is empty|let notAfter be later than notBefore"
order "$vm" 2099-01-03T00:00:00Z 2099-01-30T00:00:00Z >y.yaml
beside "a window of weeks" 1 "y.yaml:5:116: Activation/n: the window is longer than seven days"
order "$vm" 2020-01-03T00:00:00Z 2020-01-05T00:00:00Z >y.yaml
beside "a window that is over" 0 "y.yaml:5:116: warning: Activation/n: the window ended|by this machine's clock|reinstate activate prints a new order"
order "[]" 2099-01-03T00:00:00Z 2099-01-05T00:00:00Z >y.yaml
beside "an order of nothing" 1 "y.yaml:5:18: spec.restores: it is empty"
order '[{virtualMachine: payroll-01, recoveryPoint: "1"}]' 2099-01-03T00:00:00Z 2099-01-05T00:00:00Z >y.yaml
beside "an order of what is no restore" 1 "y.yaml:5:36:|ProtectedVirtualMachine/payroll-01 is of another kind|did you mean \"payroll-01-dr\"?"
document Policy n '{windows: [{from: 2020-01-01T00:00:00Z, until: 2020-01-02T00:00:00Z}], exceptions: [{rule: built-in/recover, until: 2020-01-03T00:00:00Z, reason: x}]}' >y.yaml
beside "a policy that is over" 0 "y.yaml:5:54: warning: spec.windows.0: the window ended|y.yaml:5:123: warning: spec.exceptions.0: the exception ended|its rule is in force again"
edited "a key that has expired" 0 "x.yaml:27:12: warning: spec.expires: the life of Key/payroll-os-key ended" "s#^  enabled: true#  expires: 2020-01-01T00:00:00Z#"
edited "a key that will" 0 - "s#^  enabled: true#  expires: 2099-01-01T00:00:00Z#"
sed 's/^metadata: {name: payroll-01-dr, /&annotations: {reinstate\/suspend: "x"}, /' "$example/estate.yaml" >idle.yaml
order "$vm" 2099-01-03T00:00:00Z 2099-01-05T00:00:00Z >n.yaml
judged "an order of what is suspended" 0 "n.yaml:5:18: warning: Activation/n orders nothing: RestoredVirtualMachine/payroll-01-dr (idle.yaml:66:1) is suspended" idle.yaml n.yaml

# --- documents against each other ---------------------------------------------------------------------------------------------

edited "disks replaced elsewhere" 0 "x.yaml:74:5: warning: RestoredVirtualMachine/payroll-01-dr replaces the disks of|declare the source VM's own group and name" "s#^  restore: new-vm#  restore: replace#"
edited "a key given up that is needed" 0 "x.yaml:26:12: warning: Key/payroll-os-key is given up (revoked), and RestoredVirtualMachine/payroll-01-dr (x.yaml:65:1) comes back on it" "s#^  enabled: true#  revoked: {reason: x}#; /^  version:/d"
edited "a version given up" 0 - "s#^  enabled: true#  revoked: {reason: x}#"
edited "a disabled key that is needed" 0 "x.yaml:27:12: warning: Key/payroll-os-key is declared disabled" "s#^  enabled: true#  enabled: false#"
edited "a new key where there was one" 0 "x.yaml:27:14: warning: spec.bootstrap has no effect beside spec.version" "s#^  enabled: true#  bootstrap: true#"
edited "purge protection without soft delete" 1 "x.yaml:19:15: spec.softDelete is false and spec.purgeProtection true" "s#^  purgeProtection: true#&\n  softDelete: false#"
document Azure prod2 "{tenant: 0f0f0f0f-0000-4000-8000-000000000009, subscription: 0f0f0f0f-0000-4000-8000-000000000002}" >y.yaml
beside "a subscription in two tenants" 1 "y.yaml:5:16: spec.tenant: Azure/prod2 says|a subscription is in one cloud and one tenant"
policy() {
    document KeyVaultAccessPolicy "$1" "{vault: kv-payroll, objectId: 0f0f0f0f-0000-4000-8000-000000000005, keyPermissions: $2}"
}
{ policy p1 '[get]' && policy p2 '[get, list]'; } >y.yaml
beside "one grant with two owners" 1 "y.yaml:10:91: KeyVaultAccessPolicy/p2 declares other permissions for the principal and the vault of KeyVaultAccessPolicy/p1 (y.yaml:2:1)|e.yaml:12:1) is declared with permissionModel azure-rbac"
sed 's/azure-rbac/access-policies/' "$example/estate.yaml" >policies.yaml
{ policy p1 '[get, list]' && policy p2 '[list, get]'; } >y.yaml
judged "one grant declared twice is one" 0 - policies.yaml y.yaml

# --- other tools' files -------------------------------------------------------------------------------------------------------

mkdir folder alone
cp "$example/estate.yaml" folder/estate.yaml
printf 'trigger: [main]\nsteps: []\n' >folder/azure-pipelines.yml
printf 'resources: [estate.yaml]\n' >folder/kustomization.yaml
printf 'image: {tag: x}\nreplicas: 3\n' >folder/values.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ .Release.Name }}}\n' >folder/map.yaml
judged "other tools' files in a folder" 0 "folder/azure-pipelines.yml:1:1: warning: another tool's file is passed over: neither apiVersion nor kind|folder/kustomization.yaml:1:1: warning: another tool's file is passed over: a kustomization|folder/map.yaml:1:1: warning: another tool's file is passed over: kind ConfigMap of v1|folder/values.yaml:1:1: warning:" folder
expect "its own documents count" grep -qx "valid: 8 documents" stdout
printf -- '- hosts: all\n' >folder/play.yaml
printf 'a: !Ref x\n' >folder/stack.yaml
judged "more of them than are named" 0 "warning: 1 more of other tools' files is passed over" folder
cp folder/values.yaml folder/map.yaml alone
judged "nothing but other tools' files" 1 "alone: nothing is declared here|apiVersion: reinstate/v1" alone
mkdir kinds && cp "$example/estate.yaml" kinds
printf 'apiVersion: kyverno.io/v1\nkind: Policy\nmetadata: {name: x}\nspec: {rules: []}\n' >kinds/kyverno.yaml
judged "another tool's kind of the same name" 0 "kinds/kyverno.yaml:1:1: warning: another tool's file is passed over: kind Policy of kyverno.io/v1" kinds
judged "another tool's file by its name" 1 "folder/values.yaml:1:1: another tool's document: neither apiVersion nor kind|1 fault found" folder/values.yaml
# Whatever has a mark of ours is ours: a policy that is passed over forbids nothing.
for mine in 'kind: Policy' 'kind: Polcy' 'metadata: {name: x}' 'spec: {}' 'apiversion: reinstate/v1' 'apiVersion: v1\nkind: Policy' 'apiVersion: reinstate.io/v1\nkind: Policy' 'apiVersion: reinstate/v9\nkind: Thing' 'kind: Policy\nspec: [' '# reinstate/v1\na: ['; do
    rm -rf ours && mkdir ours && cp "$example/estate.yaml" ours
    # shellcheck disable=SC2059 # the line ends are meant
    printf "$mine\n" >ours/policy.yaml
    judged "no other tool's: $(head -n 1 ours/policy.yaml)" 1 "ours/policy.yaml:" ours
done
rm -rf pinned && mkdir pinned && cp folder/values.yaml pinned
"$binary" validate -f "$example/estate.yaml" --policy pinned >stdout 2>stderr
expect "a --policy without any Policy is no policy: exit $?" grep -q "pinned: no Policy is here" stderr

# --- templates ----------------------------------------------------------------------------------------------------------------

for left in '${RG}' '{{ .Values.rg }}' '<no value>' '<RG>' '$RG' '%RG%' '$(RG)' '{% rg %}' '<% rg %>'; do
    edited "left in a name: $left" 1 "x.yaml:16:18: spec.resourceGroup:|a template was left in it: fill it in" "s/rg-payroll-keys/'$left'/"
done
for left in '${APP}' '{{ .Values.app }}' '$(APP)' '__APP__'; do
    edited "left in a label: $left" 0 "x.yaml:14:44: warning: metadata.labels.app: a template was left in it; fill it in" "14s/app: payroll/app: '$left'/"
done
edited "left in an id" 1 "x.yaml:76:|a template was left in" "s#resourceGroups/$net#resourceGroups/{{ .Values.rg }}/providers/Microsoft.Network#"
edited "left in a GUID" 1 'x.yaml:8:11: spec.tenant: "$(TENANT)" is not a GUID; a template was left in it' 's/tenant: .*/tenant: $(TENANT)/'
edited "left in a word" 1 "x.yaml:7:10: spec.cloud:|a template was left in it|allowed: AzurePublic" 's/cloud: .*/cloud: ${CLOUD}/'
edited "left without quotes" 1 "x.yaml:16:18: a template was left in this file" 's/rg-payroll-keys/{{ .Values.rg }}/'
edited "left in braces" 1 "a template was left in this file" 's/app: payroll/app: ${APP}/'
edited "dollars and braces that are none" 0 - "14s/app: payroll/app: 'a\$b {c} %d __e'/"

# --- all at once ----------------------------------------------------------------------------------------------------------------

{
    sed 's/purgeProtection: true/purgeProtecton: true/; s#Microsoft.Network#Microsoft.Netwrk#; s/location: uaenorth/location: uaenrth/' "$example/estate.yaml"
    order "$vm" 2099-01-03T00:00:00Z 2099-01-02T00:00:00Z
    document Policy p '{rules: [{name: r, match: {kind: "Ke("}, effect: deny}]}'
} >all.yaml
judged "faults of every sort at once" 1 "all.yaml:10:13: spec.location|all.yaml:18:3: spec: there is no field purgeProtecton|all.yaml:76:13: spec.target.subnet|the window is empty|\"Ke(\" cannot be used|5 faults found" all.yaml
sed 's/keyName: payroll-os/keyNme: payroll-os/' "$example/estate.yaml" >follow.yaml
judged "no fault follows from another" 1 "follow.yaml:25:3:|1 fault found" follow.yaml

# --- files that are read twice, and not at all ----------------------------------------------------------------------------------

mkdir twice && cp "$example/estate.yaml" twice
judged "a file by its name and in its folder is read once" 0 - twice/estate.yaml twice ./twice twice/../twice/estate.yaml
expect "and its documents count once" grep -qx "valid: 8 documents" stdout
mkdir -p parted/rules/more parted/keys
cp "$example/estate.yaml" parted
cp "$example/world.yaml" parted/keys
judged "a subfolder with a world alone" 0 - parted
cp "$example/policy.yaml" parted/rules/more
judged "a subfolder with a policy is not read" 0 "parted/rules: warning: this subfolder is not read, and holds a Policy of reinstate, which is not in force|give -R" parted
judged "read by its own name" 0 - parted parted/rules/more
printf 'apiVersion: kyverno.io/v1\nkind: Policy\nmetadata: {name: x}\nspec: {}\n' >parted/keys/foreign.yaml
document KeyVault kv2 '{resourceGroup: rg}' >parted/keys/kv.yaml
judged "a subfolder with a vault is not read" 0 "parted/keys: warning: this subfolder is not read, and holds manifests of reinstate|parted/rules: warning:" parted
rm parted/keys/world.yaml
"$binary" validate -R -f parted >stdout 2>stderr || no "with -R it is" stdout stderr
expect "with -R it is, and without a word of it" [ "$(grep -c 'not read' stderr)" = 0 ]
"$binary" plan -f parted/estate.yaml --policy parted/rules --world "$example/world.yaml" >stdout 2>stderr
expect "a pinned policy that lies deeper is none" grep -qF "parted/rules: no *.yaml or *.yml in this folder" stderr

checks_end
