#!/bin/sh
# Bad input of every sort: bad-input.sh BINARY. Each case must be refused within five seconds of processor by the right exit code, in words
# that say what is wrong and what would be right, with one object as JSON, and without a single write.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?bad-input.sh BINARY}") || exit 1
example=$here/../examples/01-lost-key
. "$here/checks.sh"
checks_begin bad-input
cd "$dir" || exit 1
mkdir estate
cp "$example/estate.yaml" "$example/activation.yaml" "$example/policy.yaml" estate

# --- how a case is judged -----------------------------------------------------------------------------------------------

# Writes that reached the service, tokens aside, in all records there are.
writes() {
    cat record sim-record 2>/dev/null | grep -E '^.{0,3}"method":"(PUT|POST|PATCH)"' | grep -vc '/oauth2/v2.0/token'
}

# One answer; events of the run may stand before it, a line each.
one_object() {
    grep -v '^{.*"event":' "$1" >answer
    [ "$(head -c 1 answer)" = "{" ] && [ "$(tail -c 2 answer)" = "}" ] && [ "$(grep -c '^{' answer)" = 1 ] && grep -q '"exitCode": \{0,1\}[0-9]' answer
}

# Five seconds of processor: how fast the machine is decides nothing. The other bound is for what waits for ever.
bounded() (
    ulimit -t 5
    exec timeout 600 "$@"
)

# faulty NAME EXIT WORDS COMMAND...   WORDS: what standard error must hold, separated by "|".
faulty() {
    name=$1 code=$2 words=$3 faults=
    shift 3
    rm -f record journal world-out
    bounded "$@" >stdout 2>stderr </dev/null
    got=$?
    [ "$got" = "$code" ] || faults="$faults exit $got, not $code;"
    case $* in *"-o json"*) ;; *) [ -s stderr ] || faults="$faults not a word on standard error;" ;; esac
    IFS='|'
    for word in $words; do
        grep -qF -- "$word" stderr || faults="$faults does not say \"$word\";"
    done
    unset IFS
    bounded "$@" -o json >json 2>json-stderr </dev/null
    got=$?
    [ "$got" = "$code" ] || faults="$faults exit $got with -o json, not $code;"
    one_object json || faults="$faults -o json is not one object;"
    [ "$(writes)" = 0 ] || faults="$faults it wrote;"
    [ "$(count '"event":"request"' journal)" = 0 ] || faults="$faults a write is in the journal;"
    [ "$(count '"writes":' world-out)" = 0 ] || faults="$faults the world was written to;"
    if [ -z "$faults" ]; then ok "$name"; else no "$name:$faults" stdout stderr; fi
}

# apply is the command with the most to lose, so it is the one that gets the bad input.
apply_all() {
    name=$1 words=$2
    shift 2
    faulty "$name" 1 "$words" "$binary" apply "$@" --auto-approve --record record --journal journal
}

# bad_manifest NAME WORDS FILE
bad_manifest() {
    apply_all "$1" "$2" -f "$3" --world "$example/world.yaml" --world-out world-out
}

# answers NAME WORDS FAULTS
answers() {
    world_with "$3"
    apply_all "$1" "$2" -f estate --world world.yaml --world-out world-out
}

# unseen NAME WORDS FAULT: an answer that is none about one thing alone: that thing cannot be seen, all else is judged, nothing is done.
unseen() {
    world_with "$3"
    "$binary" plan -f estate --world world.yaml >out 2>err
    expect "$1: the plan is shown" [ $? = 0 ]
    for word in $(printf '%s' "$2" | tr ' |' '~ '); do
        expect "$1: says $(printf '%s' "$word" | tr '~' ' ')" grep -qF -- "$(printf '%s' "$word" | tr '~' ' ')" out
    done
    "$binary" apply -f estate --world world.yaml --world-out world-out --record record --auto-approve --journal none >out 2>err
    expect "$1: apply is blocked" [ $? = 3 ]
}

# edited FILE SED-EXPRESSION: the estate with a fault; one that changes nothing is no fault.
edited() {
    sed "$2" "$example/estate.yaml" >"$1"
    cmp -s "$1" "$example/estate.yaml" && no "$1: the edit fits the example"
}

# --- files that are no manifests ---------------------------------------------------------------------------------------

: >empty.yaml
bad_manifest "empty file" "empty.yaml: no document|apiVersion: reinstate/v1" empty.yaml

printf 'kind: \000\001\377\n' >binary.yaml
bad_manifest "binary file" "binary.yaml:1:7: a NUL byte|UTF-8 text" binary.yaml

printf '\377\376\001k' >utf.yaml
bad_manifest "not UTF-8" "utf.yaml:1:" utf.yaml

truncate -s 100M big.yaml
bad_manifest "file of 100 MB" "big.yaml: larger than 8388608 bytes|split it" big.yaml

{
    echo 'a0: &a0 [x, x, x, x, x, x, x, x, x, x]'
    for n in 1 2 3 4 5 6 7 8 9; do
        o=\*a$((n - 1))
        echo "a$n: &a$n [$o, $o, $o, $o, $o, $o, $o, $o, $o, $o]"
    done
} >bomb.yaml
bad_manifest "alias bomb" "bomb.yaml:6:|more than 200000 values|aliases" bomb.yaml

{
    printf 'apiVersion: reinstate/v1\nkind: Key\nmetadata: {name: deep}\nspec: '
    head -c 10000 /dev/zero | tr '\0' '['
} >deep.yaml
bad_manifest "10,000 deep" "deep.yaml:4:|nested deeper than 64" deep.yaml

printf 'kind: Key\n  name: [\n' >syntax.yaml
bad_manifest "no YAML" "syntax.yaml:2:" syntax.yaml

mkdir none
mkdir piped merged foreign kustomized
mkfifo piped/pipe.yaml
bad_manifest "a pipe in a folder" "piped/pipe.yaml: this is no ordinary file, and is not read" piped
{ echo '<<<<<<< HEAD'; cat "$example/estate.yaml"; echo '>>>>>>> other'; } >merged/estate.yaml
bad_manifest "a merge that nobody has finished" "merged/estate.yaml:1:1: a mark of a git conflict|settle the conflict" merged
printf 'apiVersion: reinstate/v1\nkind: Key\nmetadata: {name: {{ .Values.name }}}\n' >template.yaml
bad_manifest "a template that nobody has filled in" "template.yaml:3:18: a template was left in this file" template.yaml
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {a: b}\n' >foreign/map.yaml
bad_manifest "another tool's document" "foreign/map.yaml:1:1: another tool's document: kind ConfigMap of v1|-f" foreign/map.yaml
bad_manifest "a folder of another tool" "foreign/map.yaml:1:1: warning: another tool's file is passed over: kind ConfigMap of v1|foreign: nothing is declared here" foreign
printf 'resources: [estate.yaml]\n' >kustomized/kustomization.yaml
bad_manifest "a kustomization" "another tool's document: a kustomization" kustomized/kustomization.yaml
bad_manifest "a world for manifests" "nothing is declared here|a World is given with --world FILE" "$example/world.yaml"
bad_manifest "folder without manifests" "none: no *.yaml or *.yml|-R" none

bad_manifest "missing file" "gone.yaml: cannot be read: No such file" gone.yaml

ln -s loop.yaml loop.yaml
bad_manifest "unreadable file" "loop.yaml: cannot be read: Too many levels" loop.yaml

# Root reads everything unless it gives that up.
cp "$example/estate.yaml" shut.yaml
chmod 0 shut.yaml
if [ "$(id -u)" != 0 ]; then
    bad_manifest "file without permission" "shut.yaml: cannot be read: Permission denied" shut.yaml
elif setpriv --inh-caps=-all --bounding-set=-all true 2>/dev/null; then
    faulty "file without permission" 1 "shut.yaml|Permission denied" setpriv --inh-caps=-all --bounding-set=-all "$binary" validate -f shut.yaml
fi

# --- manifests with faults ------------------------------------------------------------------------------------------------

edited kind.yaml 's/^kind: KeyVault$/kind: KeyVualt/'
bad_manifest "unknown kind" 'kind.yaml:13:7: unknown kind "KeyVualt"|did you mean KeyVault?' kind.yaml
bad_manifest "what follows from it is not told" '1 fault found' kind.yaml

printf 'apiVersion: reinstate/v1\nkind: KeyVault\nspec: {resourceGroup: rg}\n' >nameless.yaml
bad_manifest "a document without a name" 'the field metadata is missing|this KeyVault needs a document of kind Azure' nameless.yaml

edited types.yaml 's/purgeProtection: true/purgeProtection: "yes"/; s/rg-payroll-keys/[rg-payroll-keys]/'
bad_manifest "wrong types, all at once" 'types.yaml:16:18: spec.resourceGroup: found a list, expected a string|types.yaml:18:20: spec.purgeProtection: found "yes", expected true or false' types.yaml

edited field.yaml 's/purgeProtection: true/purgeProtecton: true/'
bad_manifest "misspelt field" 'field.yaml:18:3:|purgeProtecton|did you mean purgeProtection?' field.yaml

{
    cat "$example/estate.yaml"
    printf -- '---\napiVersion: reinstate/v1\nkind: RecoveryServicesVault\nmetadata: {name: rsv-payroll}\nspec: {resourceGroup: rg-other}\n'
} >twice.yaml
bad_manifest "duplicate name" "RecoveryServicesVault/rsv-payroll is declared twice: first at twice.yaml:53:1" twice.yaml

edited dangling.yaml 's/store: kv-payroll$/store: kv-payrol/'
bad_manifest "dangling reference" 'dangling.yaml:24:10:|"kv-payrol"; did you mean "kv-payroll"?' dangling.yaml

{
    cat "$example/estate.yaml"
    printf -- '---\napiVersion: reinstate/v1\nkind: Azure\nmetadata: {name: other}\nspec:\n  cloud: AzurePublic\n'
    printf '  tenant: 0f0f0f0f-0000-4000-8000-000000000001\n  subscription: 0f0f0f0f-0000-4000-8000-000000000009\n  location: uaenorth\n'
} >azures.yaml
bad_manifest "two Azure documents, none named" "azures.yaml:12:1: KeyVault/kv-payroll does not say which Azure document|azure: prod" azures.yaml

# rule NAME WORDS RULE: a rule that looks at what is never there.
rule() {
    printf 'apiVersion: reinstate/v1\nkind: Policy\nmetadata: {name: extra}\nspec:\n  rules:\n    - %s\n' "$3" >rule.yaml
    apply_all "$1" "$2" -f estate -f rule.yaml --world "$example/world.yaml" --world-out world-out
}
rule "a rule on a misspelt field" "rule.yaml:6:77: no kind that the rule matches has a field spec.target.resorceGroup, so that the rule would never apply|did you mean spec.target.resourceGroup?" '{name: r, match: {kind: RestoredVirtualMachine}, when: {all: [{field: spec.target.resorceGroup, op: eq, value: rg}]}, effect: deny}'
rule "a rule on a field of another kind" "no kind that the rule matches has a field spec.keyName" '{name: r, match: {kind: KeyVault|ManagedHsm}, when: {field: spec.keyName, op: eq, value: rg}, effect: deny}'
rule "an assertion on a misspelt field" "so that the rule would always apply" '{name: r, match: {kind: Key}, assert: {field: spec.keyname, op: eq, value: os}, effect: deny}'
rule "a rule on a value that does not exist" "spec.rotation is never follow-newest, so that the rule would never apply|did you mean follow-latest?" '{name: r, match: {kind: DiskEncryptionSet}, when: {field: spec.rotation, op: in, value: [pinned, follow-newest]}, effect: deny}'
printf 'apiVersion: reinstate/v1\nkind: Policy\nmetadata: {name: extra}\nspec:\n  rules:\n    - {name: one, match: {kind: Key.*}, when: {field: spec.sources.0.azureBackup.from, op: exists}, effect: warn}\n    - {name: two, match: {kind: KeyVault}, when: {field: live.propertys.enablePurgeProtection, op: eq, value: false}, effect: deny}\n    - {name: three, match: {kind: KeyVault}, when: {field: facts.purgeProtectio, op: eq, value: false}, effect: deny}\n    - {name: four, match: {kind: KeyVault}, when: {field: live.properties.enablePurgeProtection, op: eq, value: false}, effect: deny}\n' >rule.yaml
"$binary" plan -f estate -f rule.yaml --world "$example/world.yaml" >stdout 2>stderr
expect "a rule on what is never observed: a plan all the same" [ $? = 0 ]
expect "a rule on what is never observed is warned of" grep -q "rule.yaml:7:58: warning: none of the 1 document that the rule matches has live.propertys.enablePurgeProtection: it may be misspelt, so that the rule would never apply" stderr
expect "nor among the facts" grep -q "none of the 1 document that the rule matches has facts.purgeProtectio" stderr
expect "nothing else is warned of" [ "$(grep -c 'it may be misspelt' stderr)" = 2 ]

# twin NAME WORDS KIND SPEC: a second document for what the estate declares already.
twin() {
    { cat "$example/estate.yaml"; printf -- '---\napiVersion: reinstate/v1\nkind: %s\nmetadata: {name: Twin}\nspec: %s\n' "$3" "$4"; } >twin.yaml
    bad_manifest "$1" "$2|keep one of the two" twin.yaml
}
target="{resourceGroup: RG-payroll-DR, name: PAYROLL-01-R, stagingAccount: {id: /subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg-payroll-dr/providers/Microsoft.Storage/storageAccounts/stpayrolldr}}"
twin "two documents for one set" "DiskEncryptionSet/Twin declares what DiskEncryptionSet/des-payroll (twin.yaml:32:1) declares already|/diskEncryptionSets/des-payroll (capitals make no other name in Azure)" DiskEncryptionSet '{resourceGroup: RG-payroll-dr, setName: DES-Payroll, key: payroll-os-key, rotation: follow-latest}'
twin "two documents for one vault, in two groups" "KeyVault/Twin declares what KeyVault/kv-payroll (twin.yaml:" KeyVault '{resourceGroup: rg-other, vaultName: KV-payroll}'
twin "two documents for one key version" "Key/Twin declares what Key/payroll-os-key (twin.yaml:|/keys/payroll-os/3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5" Key '{store: kv-payroll, keyName: payroll-os, version: 3D1C5F0A9B7E4C21A6D8E0F1B2C3D4E5}'
twin "two documents for one backup vault" "RecoveryServicesVault/Twin declares what RecoveryServicesVault/rsv-payroll (twin.yaml:" RecoveryServicesVault '{resourceGroup: rg-payroll-backup, vaultName: rsv-payroll}'
twin "two documents for one machine" "ProtectedVirtualMachine/Twin declares what ProtectedVirtualMachine/payroll-01 (twin.yaml:" ProtectedVirtualMachine '{vault: rsv-payroll, source: {resourceGroup: RG-PAYROLL, name: payroll-01}}'
twin "two documents for one target" "RestoredVirtualMachine/Twin declares what RestoredVirtualMachine/payroll-01-dr (twin.yaml:" RestoredVirtualMachine "{from: payroll-01, restore: disks, target: $target}"
sed 's/name: inc-4711/name: inc-4712/' "$example/activation.yaml" >again.yaml
apply_all "one order twice" "again.yaml:6:61: Activation/inc-4712 orders payroll-01-dr while Activation/inc-4711 (estate/activation.yaml:6:14) orders it too|withdrawn: true" -f estate -f again.yaml --world "$example/world.yaml" --world-out world-out
{
    cat "$example/estate.yaml"
    printf -- '---\napiVersion: reinstate/v1\nkind: Azure\nmetadata: {name: fin}\nspec: {subscription: 0f0f0f0f-0000-4000-8000-000000000003, tenant: 0f0f0f0f-0000-4000-8000-000000000009}\n'
} | sed 's/^spec: {resourceGroup: rg-payroll-backup}/spec: {azure: fin, resourceGroup: rg-payroll-backup}/; s/^  vault: rsv-payroll/  azure: prod\n  vault: rsv-payroll/; s/^  resourceGroup: rg-payroll-keys/  azure: prod\n  resourceGroup: rg-payroll-keys/' >split.yaml
bad_manifest "what is relied on names its Azure document" "Key/payroll-os-key does not say which Azure document it uses|write spec: {azure: prod}, as KeyVault/kv-payroll does" split.yaml
sed 's/^  store: kv-payroll/  azure: prod\n  store: kv-payroll/; s/^  resourceGroup: rg-payroll-dr/  azure: prod\n  resourceGroup: rg-payroll-dr/; s/^  key: payroll-os-key/  key: payroll-os-key\n  azure: prod/; s/^  from: payroll-01/  azure: prod\n  from: payroll-01/' split.yaml | awk '/^  azure: prod/ && seen {next} {seen = /^  azure: prod/ || (seen && !/^---/)} 1' >split2.yaml
bad_manifest "a machine and its vault in two tenants" "spec.vault: ProtectedVirtualMachine/payroll-01 uses Azure/prod of tenant 0f0f0f0f-0000-4000-8000-000000000001, and RecoveryServicesVault/rsv-payroll is of tenant 0f0f0f0f-0000-4000-8000-000000000009 (Azure/fin)|neither sees the other" split2.yaml

edited url.yaml 's#^  key: payroll-os-key$#  key: {url: "https://kv-payroll.vault.azure.cn/keys/payroll-os/3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5"}#'
bad_manifest "key URL of another cloud" "url.yaml:|belongs to AzureChina, but the cloud in use is AzurePublic|.vault.azure.net" url.yaml

edited endpoint.yaml 's#^  resourceGroup: rg-payroll-keys#&\n  endpoint: https://example.org#'
sed 's/keyName:/keyNam:/' "$example/estate.yaml" >misspelt.yaml
printf '\tx: 1\n' >tabbed.yaml
faulty "a file that cannot be read hides no fault of another" 1 "tabbed.yaml:1:1|misspelt.yaml:|did you mean keyName|2 faults found" \
    "$binary" validate -f misspelt.yaml -f tabbed.yaml
bad_manifest "endpoint in a manifest" "endpoint.yaml:17:3: spec.endpoint is refused|--cloud" endpoint.yaml

edited hook.yaml 's#^  location: uaenorth#&\n  hooks: {before: /bin/true}#'
bad_manifest "hook in a manifest" "hook.yaml:11:3: spec.hooks is refused|what is run" hook.yaml

sed "s/name: '^kv-'/name: '^kv-('/" "$example/policy.yaml" >estate/policy.yaml
bad_manifest "bad expression in a Policy" 'estate/policy.yaml:|"^kv-(" cannot be used: not a regular expression|missing closing parenthesis|PCRE2' estate
cp "$example/policy.yaml" estate

# --- the command line -----------------------------------------------------------------------------------------------------

faulty "misspelt command" 1 'no command "aply"|did you mean apply?' "$binary" aply -f estate
faulty "misspelt option" 1 "no option --auto-aprove|did you mean --auto-approve?" "$binary" apply -f estate --auto-aprove
faulty "no manifests named" 1 "which manifests?|-f PATH" "$binary" apply
faulty "a credential of another tenant" 1 "AZURE_TENANT_ID is 0f0f0f0f-0000-4000-8000-000000000009, and Azure/prod is of tenant 0f0f0f0f-0000-4000-8000-000000000001 (estate/estate.yaml:|the secret is not sent there" env AZURE_TENANT_ID=0f0f0f0f-0000-4000-8000-000000000009 AZURE_CLIENT_ID=0f0f0f0f-0000-4000-8000-00000000000b AZURE_CLIENT_SECRET=none "$binary" plan -f estate
faulty "no credential" 1 "AZURE_TENANT_ID, AZURE_CLIENT_ID, AZURE_CLIENT_SECRET not set" env -u AZURE_TENANT_ID -u AZURE_CLIENT_ID -u AZURE_CLIENT_SECRET "$binary" plan -f estate

# --- export, impact, graph ------------------------------------------------------------------------------------------------

live="--world $example/world.yaml"
rsv=/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg-payroll-backup/providers/Microsoft.RecoveryServices/vaults/rsv-payroll
faulty "export of no vault" 1 "which vault?|--vault-name NAME" "$binary" export $live
faulty "export by id and by name" 1 "--vault and --vault-name contradict each other" "$binary" export $live --vault $rsv --vault-name rsv-payroll
faulty "export of a vault that is not there" 1 "no Recovery Services vault rsv-payrol can be seen|give its ARM id (export --vault ID, forecast --discover ID)" "$binary" export $live --vault-name rsv-payrol
faulty "export by a wrong id" 1 "none-such" "$binary" export $live --vault ${rsv%rsv-payroll}none-such
faulty "export by what is no id" 1 "must begin with one /" "$binary" export $live --vault rsv-payroll
faulty "export of an unknown VM" 1 "protects no VM nobody|ARM id of the protected item" "$binary" export $live --vault $rsv --item nobody
faulty "export to half a place" 1 "is not GROUP,SUBNET,STAGING" "$binary" export $live --vault $rsv --restore-to rg,vnet/default
faulty "export to a subnet without a network" 1 "neither VNET/SUBNET nor an ARM id" "$binary" export $live --vault $rsv --restore-to rg,default,st
mkdir -p taken && : >taken/Azure.yaml
faulty "export over files" 1 "taken/Azure.yaml is there already; nothing was written|--force" "$binary" export $live --vault $rsv --out taken
echo "an older one" >older
faulty "a saved plan over a file" 1 "older is there already; nothing was written|--force" "$binary" plan -f estate $live --out older
faulty "an order over a file" 1 "older is there already; nothing was written|--force" "$binary" activate -f estate $live payroll-01-dr --newest --out older
expect "what was there is as it was" [ "$(cat older)" = "an older one" ]
"$binary" plan -f estate $live --out older --force >stdout 2>stderr
expect "a saved plan over a file with --force" grep -q '"digest"' older
"$binary" activate -f estate $live payroll-01-dr --newest --out older --force >stdout 2>stderr
expect "an order over a file with --force" grep -q 'kind: Activation' older
faulty "impact of nothing" 1 "what would be taken away?|--disable KEY" "$binary" impact -f estate $live
faulty "impact of both" 1 "--disable and --delete contradict each other" "$binary" impact -f estate $live --disable payroll-os-key --delete payroll-os-key
faulty "impact of an unknown key" 1 "there is no Key payroll-os-kee|did you mean payroll-os-key?" "$binary" impact -f estate $live --disable payroll-os-kee
faulty "impact of a version's deletion" 1 "a single key version cannot be deleted" "$binary" impact -f estate $live --delete payroll-os-key/3d1c5f0a9b7e4c21a6d8e0f1b2c3d4e5
faulty "impact of what is no key" 1 "is no key vault, managed HSM, key or disk encryption set" "$binary" impact -f estate $live --delete $rsv
faulty "a drawing of two things" 1 "--steps and --lineage contradict each other" "$binary" graph -f estate $live --steps --lineage
faulty "an order for nobody" 1 "which RestoredVirtualMachine?|labels with -l" "$binary" activate -f estate $live
faulty "an order for an unknown VM" 1 "no RestoredVirtualMachine payroll-01-d|did you mean payroll-01-dr?" "$binary" activate -f estate $live payroll-01-d
faulty "an order for labels nobody has" 1 "no document has the labels app=none" "$binary" activate -f estate $live -l app=none
faulty "an order for an unknown point" 1 "there is no recovery point 1 of payroll-01|805440465632125" "$binary" activate -f estate $live payroll-01-dr --point 1
faulty "a list and a choice" 1 "--list and --newest contradict each other" "$binary" activate -f estate $live payroll-01-dr --list --newest

# --- worlds ------------------------------------------------------------------------------------------------------------------

# bad_world NAME WORDS SED-EXPRESSION
bad_world() {
    sed "$3" "$example/world.yaml" >world.yaml
    apply_all "$1" "$2" -f estate --world world.yaml --world-out world-out
}
bad_world "world: key in a vault that is not there" "world.yaml:|payroll-os: the key's store is not in the world|add the vault" 's/store: kv-payroll$/store: kv-other/'
bad_world "world: role of nobody" "world.yaml:|no such principal" 's/principal: operator, role: Reader/principal: nobody, role: Reader/'
apply_all "world: not a World" "policy.yaml:|--world takes a World|kind: World" -f estate --world "$example/policy.yaml" --world-out world-out

# --- answers that are none ---------------------------------------------------------------------------------------------------

vault='on: {method: GET, path: /vaults/kv-payroll}, every: true'
unseen "truncated answer" "KeyVault/kv-payroll|cut half way" "{$vault, do: {truncate: 40}}"
unseen "broken JSON" "KeyVault/kv-payroll|no JSON: line 1, column" "{$vault, do: {body: '{\"id\": [1,'}}"
unseen "JSON of another shape" "KeyVault/kv-payroll|no JSON object" "{$vault, do: {body: '[]'}}"
answers "401 loop" "401|token was not accepted|check cloud, tenant and credential" "{on: {method: GET, path: /}, every: true, do: {status: 401}}"
answers "401 for the token" "get a token|401 invalid_client" "{on: {path: /oauth2/}, every: true, do: {status: 401, code: invalid_client}}"
unseen "redirect to another host" "302, a redirection to portal.example.org, which is not followed" \
    "{$vault, do: {status: 302, headers: {Location: 'https://portal.example.org/'}}}"
expect "the redirect was not followed" [ "$(count 'example.org/' record)" = "$(count '"location":"https://portal.example.org/"' record)" ]
unseen "far too many headers or bytes" "KeyVault/kv-payroll" "{$vault, do: {body: '$(head -c 60000 /dev/zero | tr '\0' '[')'}}"

# --- the wire ------------------------------------------------------------------------------------------------------------------

sign_in sim-client-secret
openssl_ca() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=another" 2>/dev/null
}
if sim_start "$example/world.yaml" 3600; then
    expect "another authority can be made" openssl_ca
    sed "s#\"caFile\": .*,#\"caFile\": \"$dir/ca.pem\",#" cloud.yaml >untrusted.yaml
    apply_all "certificate not trusted" "no trustworthy connection|CA that the --cloud file or SSL_CERT_FILE names" -f estate --cloud untrusted.yaml
    expect "nothing was sent over it" [ ! -s sim-record ]
    sed 's#"arm": "https#"arm": "http#' cloud.yaml >plain.yaml
    apply_all "cloud file without TLS" "plain.yaml:|arm|https" -f estate --cloud plain.yaml
    AZURE_CLIENT_SECRET=wrong apply_all "wrong client secret" "get a token for ARM|401" -f estate --cloud cloud.yaml
    sim_stop
    apply_all "port that does not answer" "localhost|cannot be reached" -f estate --cloud cloud.yaml
fi

# --- the cloud is the operator's word -------------------------------------------------------------------------------------------

mkdir -p gov
sed 's/cloud: AzurePublic/cloud: AzureUSGovernment/' "$example/estate.yaml" >gov/estate.yaml
faulty "a cloud that only the manifest names" 1 "you have named AzurePublic by naming none|no credential was sent|--cloud AzureUSGovernment" "$binary" plan -f gov
faulty "another cloud than the operator's" 1 "you have named AzureChina" "$binary" plan -f gov --cloud AzureChina
faulty "another cloud in the environment" 1 "you have named AzureChina" env ARM_ENVIRONMENT=china "$binary" plan -f gov
faulty "another authority in the environment" 1 "you have named AzurePublic" env AZURE_AUTHORITY_HOST=https://login.microsoftonline.com/ "$binary" plan -f gov
faulty "an authority that nobody knows" 1 "AZURE_AUTHORITY_HOST names no cloud" env AZURE_AUTHORITY_HOST=https://login.example.com "$binary" plan -f gov
faulty "two clouds in the environment" 1 "ARM_ENVIRONMENT names AzureChina" env ARM_ENVIRONMENT=china AZURE_AUTHORITY_HOST=https://login.microsoftonline.us "$binary" plan -f gov

# --- names that Azure does not take ---------------------------------------------------------------------------------------

for name in 'pay 01' 'pay?x=1' 'a/b' 'pay.' '_pay' '-pay'; do
    sed "s|    name: payroll-01-r|    name: '$name'|" "$example/estate.yaml" >named.yaml
    faulty "a VM called $name" 1 "named.yaml|spec.target.name|does not have the form of a VM's name" "$binary" validate -f named.yaml
done
for name in '${var.name}' '{{ .Values.name }}'; do
    sed "s|    name: payroll-01-r|    name: '$name'|" "$example/estate.yaml" >named.yaml
    faulty "a template left in: $name" 1 "spec.target.name|a template was left in it" "$binary" validate -f named.yaml
done
"$binary" plan -f gov --cloud AzureUSGovernment >stdout 2>stderr
expect "the operator's option is taken" sh -c '! grep -q "you have named" stderr'
ARM_ENVIRONMENT=usgovernment "$binary" plan -f gov >stdout 2>stderr
expect "the operator's environment is taken" sh -c '! grep -q "you have named" stderr'

# --- a saved plan ------------------------------------------------------------------------------------------------------------------

"$binary" plan -f estate --world "$example/world.yaml" --out saved.plan >stdout 2>stderr
expect "a plan can be saved" test -s saved.plan
sed 's/state: purged/state: active/' "$example/world.yaml" >world.yaml
apply_all "saved plan, world changed" "the saved plan no longer fits|make a new plan" -f estate --world world.yaml --world-out world-out --plan saved.plan
sed 's/restores: 2/restores: 1/' "$example/policy.yaml" >estate/policy.yaml
apply_all "saved plan, manifests changed" "the saved plan no longer fits" -f estate --world "$example/world.yaml" --world-out world-out --plan saved.plan
cp "$example/policy.yaml" estate
apply_all "saved plan, another policy pinned" "it was made under another --policy|reinstate plan -f" -f estate --policy "$example/policy.yaml" --world "$example/world.yaml" --world-out world-out --plan saved.plan
sed 's/"verdict": "allow"/"verdict": "warn"/' saved.plan >edited.plan
apply_all "saved plan, edited" "edited after it was saved" -f estate --world "$example/world.yaml" --world-out world-out --plan edited.plan
head -c 300 saved.plan >cut.plan
apply_all "saved plan, cut short" "cut.plan: line" -f estate --world "$example/world.yaml" --world-out world-out --plan cut.plan
echo '{}' >no.plan
apply_all "saved plan that is none" "no.plan is no saved plan" -f estate --world "$example/world.yaml" --world-out world-out --plan no.plan

# --- blocked is not an error ------------------------------------------------------------------------------------------------------

printf 'apiVersion: reinstate/v1\nkind: Policy\nmetadata: {name: deny-all}\nspec:\n  rules:\n    - {name: nothing, match: {kind: .*}, effect: deny, message: not tonight}\n' >deny.yaml
"$binary" apply -f estate --policy deny.yaml --world "$example/world.yaml" --world-out world-out --record record --journal none --auto-approve >stdout 2>stderr
expect "policy says no: exit 3" [ $? = 3 ]
expect "policy says no: it says so" grep -q "not tonight" stdout
expect "policy says no: nothing was written" [ "$(writes)" = 0 ]
rm -f record
"$binary" apply -f estate --world "$example/world.yaml" --record record --journal none --auto-approve >stdout 2>stderr
expect "good input is carried out: exit 0" [ $? = 0 ]
expect "and its writes are seen" [ "$(writes)" -ge 6 ]
"$binary" export $live --vault $rsv --out written >stdout 2>stderr
expect "export into a folder: exit 0" [ $? = 0 ]
expect "a file for each kind and each VM" [ "$(echo written/*)" = "written/Azure.yaml written/ProtectedVirtualMachine-payroll-01.yaml written/RecoveryServicesVault.yaml" ]
"$binary" plan -f written $live --detailed-exitcode >stdout 2>stderr
expect "and it plans empty" [ $? = 0 ]
"$binary" export $live --vault $rsv --out written --force >stdout 2>stderr
expect "written anew with --force" [ $? = 0 ]
rm estate/activation.yaml
"$binary" activate -f estate $live payroll-01-dr >estate/order.yaml 2>stderr
expect "an order that the shell puts into the folder: exit 0" [ $? = 0 ]
expect "the empty file of it is told" grep -q 'estate/order.yaml: warning: an empty file is passed over' stderr
expect "it is in force from the first look on" grep -q 'notBefore: 2026-11-23T03:00:00Z' estate/order.yaml
"$binary" activate -f estate $live payroll-01-dr >order.yaml 2>stderr
expect "the second one of a day has a name of its own" [ "$(sed -n 's/^  name: //p' order.yaml)" = "$(sed -n 's/^  name: //p' estate/order.yaml)-2" ]

checks_end
