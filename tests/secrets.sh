#!/bin/sh
# No secret leaves memory: secrets.sh BINARY. Plants secrets that can be recognised, learns from the simulated Azure those it makes
# itself, and looks for all of them in everything the client writes, in its error texts under faults, and in core files of a
# full recovery. Without a way to take a core file that part is skipped; with CI set it fails instead.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?secrets.sh BINARY}") || exit 1
example=$here/../examples/01-lost-key
. "$here/checks.sh"
checks_begin secrets
cd "$dir" || exit 1
mkdir estate out cores
cp "$example/estate.yaml" "$example/activation.yaml" "$example/policy.yaml" estate
LC_ALL=C
export LC_ALL

# --- what is secret -------------------------------------------------------------------------------------------------------

# The operator may not read blobs with a token, so the account's keys are asked for as well.
planted='Planted+Client/Secret=4711%x'
vault=/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg-payroll-dr/providers/Microsoft.Storage/storageAccounts/stescrow
sed -e "s#secret: sim-client-secret#secret: '$planted'#" -e '/role: Storage Blob Data Reader/d' \
    -e "s#^  resources:#&\n    - {id: $vault, location: uaenorth, kind: StorageV2, sku: {name: Standard_LRS, tier: Standard}, properties: {}}#" \
    -e "s#^  roleAssignments:#&\n    - {principal: operator, role: Storage Blob Data Contributor, scope: $vault}#" \
    -e 's#^  jobs: \[\]#  containers: [{account: stescrow, name: escrow}]\n&#' "$example/world.yaml" >world.yaml
sign_in "$planted"

# secret NAME TEXT: what must be found nowhere. Short texts would be found by chance.
secret() {
    if [ "${#2}" -ge 16 ]; then printf '%s %s\n' "$1" "$2" >>secrets; else no "the secret $1 is known"; fi
}

# secret_bytes NAME: of standard input, as an expression that grep -P understands. grep sees lines: the longest part of one counts.
secret_bytes() {
    part=$(od -An -v -tx1 | tr -d '\n' | sed 's/ 0a/\n/g' | awk 'length($0) > length(best) { best = $0 } END { print best }' | sed 's/ /\\x/g')
    if [ "${#part}" -ge 32 ]; then printf '%s %s\n' "$1" "$part" >>secret-bytes; else no "the bytes of $1 can be looked for"; fi
}

# Pieces from the middle of a base64 text: also a part of a secret is one.
secret_pieces() {
    for from in 201 2001 4001 8001; do
        piece=$(printf %s "$2" | cut -c "$from-$((from + 39))")
        [ "${#piece}" = 40 ] || continue
        secret "$1 from $from" "$piece"
        secret "$1 from $from as base64url" "$(printf %s "$piece" | tr '+/' '-_')"
        printf %s "$piece" | base64 -d | head -c 24 | secret_bytes "$1 from $from decoded"
    done
}

token() {
    curl -s --cacert cloud.yaml.ca.pem --data-urlencode "scope=$1/.default" -d grant_type=client_credentials -d "client_id=$AZURE_CLIENT_ID" \
        --data-urlencode "client_secret=$planted" "$authority/$AZURE_TENANT_ID/oauth2/v2.0/token" | sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p'
}

# The content of the world's blob of that name (an expression), base64.
content() {
    awk -v name="\"name\": \"$1\"" '$0 ~ name { on = 1 } on && /"content":/ { gsub(/.*"content": "|",*$/, ""); print; exit }' "$2"
}

# The estate, with an escrow in the simulated Azure that runs.
escrow_declare() {
    sed "s#^  keyName: payroll-os#&\n  escrow: {container: 'https://stescrow$(member blobSuffix)/escrow'}#" "$example/estate.yaml" >estate/estate.yaml
}

member() {
    sed -n "s/.*\"$1\": \"\(.*\)\",*/\1/p" cloud.yaml
}

# After a recovery: asks as another client would, and reads the world that the server wrote.
learn_secrets() {
    authority=$(member authority) arm=$(member arm)
    : >secrets
    : >secret-bytes
    secret "client secret" "$planted"
    secret "client secret, percent-encoded" 'Planted%2BClient%2FSecret%3D4711'
    token=$(token "$(member armAudience)")
    secret "any token" "$(printf %s "$token" | cut -d. -f1).eyJ"
    account=/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/resourceGroups/rg-payroll-dr/providers/Microsoft.Storage/storageAccounts/stpayrolldr
    curl -s --cacert cloud.yaml.ca.pem -H "Authorization: Bearer $token" -d '' "$arm$account/listKeys?api-version=2023-05-01" >keys.json
    n=0
    for key in $(tr ',{}' '\n\n\n' <keys.json | sed -n 's/^ *"value": *"\(.*\)"$/\1/p'); do
        n=$((n + 1))
        secret "account key $n" "$key"
        secret "account key $n, in part" "$(printf %s "$key" | cut -c 21-60)"
        printf %s "$key" | base64 -d | head -c 24 | secret_bytes "account key $n decoded"
    done
    expect "the account has keys to look for" [ "$n" = 2 ]
    blob=$(content 'securedvmencryptioninfo.*' sim-world.yaml | base64 -d | tr -d '\000' | sed -n 's/.*"KeyBackupData":"\([^"]*\)".*/\1/p')
    secret_pieces "exported key" "$blob"
    secret_pieces "escrowed key" "$(content '.*[.]keybackup' sim-world.yaml)"
    expect "the escrow was found" [ "$(grep -c '^escrowed key' secrets)" -ge 6 ]
    expect "the export was found: $(wc -l <secrets) texts to look for" [ "$(grep -c '^exported key' secrets)" = 8 ]
}

# seek FILE: sets found to the names of the secrets in it.
seek() {
    found=
    while IFS= read -r line; do
        grep -aqF -e "${line##* }" "$1" && found="$found ${line% *};"
    done <secrets
    while IFS= read -r line; do
        grep -aqP -e "${line##* }" "$1" && found="$found ${line% *};"
    done <secret-bytes
}

# clean WHAT FILE: none of them is in it.
clean() {
    seek "$2"
    if [ ! -s "$2" ]; then
        no "$1: there is nothing to look at"
    elif [ -z "$found" ]; then
        ok "$1 is clean ($(wc -c <"$2") bytes)"
    else
        no "$1 holds:$found"
    fi
}

# What is searched with must be able to find.
seeker_works() {
    head -c 3000 /dev/zero >seeded
    sed 's/.* //' secrets >>seeded
    while IFS= read -r line; do
        printf "$(printf %s "${line##* }" | sed 's/\\x\(..\)/\1 /g' | awk '{ for (i = 1; i <= NF; i++) printf "%s", "\\" oct($i) }
            function oct(h,  d, n, j) { n = 0; for (j = 1; j <= 2; j++) n = n * 16 + index("0123456789abcdef", substr(h, j, 1)) - 1
                return sprintf("%03o", n) }')" >>seeded
    done <secret-bytes
    seek seeded
    [ "$(printf %s "$found" | tr -cd ';' | wc -c)" = "$(cat secrets secret-bytes | wc -l)" ]
}

# --- core files -----------------------------------------------------------------------------------------------------------

# How to take one: the kernel writes it here, or gdb does, or not at all.
core_by=
case $(cat /proc/sys/kernel/core_pattern 2>/dev/null) in
*/* | *'|'* | '') ;;
*) (ulimit -c unlimited) 2>/dev/null && core_by=kernel ;;
esac
[ -n "$core_by" ] || ! command -v gcore >/dev/null || core_by=gcore

# take_core NAME: of the process in the background, which ends by it.
take_core() {
    if [ "$core_by" = kernel ]; then
        kill -ABRT "$client_pid" 2>/dev/null
    else
        gcore -o "cores/$1" "$client_pid" >/dev/null 2>&1
        kill -KILL "$client_pid"
    fi
    wait "$client_pid" 2>/dev/null
    for file in cores/core*; do
        [ "$core_by" = kernel ] && [ -f "$file" ] && mv "$file" "cores/$1.core"
    done
    [ "$core_by" = gcore ] && mv "cores/$1.$client_pid" "cores/$1.core"
}

# begin COMMAND OPTION...: in the background, in the folder where cores are written, allowed to leave one.
begin() {
    (
        cd cores || exit 1
        ulimit -c unlimited 2>/dev/null
        REINSTATE_ALLOW_CORE=1 exec "$binary" "$@" -f ../estate --cloud ../cloud.yaml --auto-approve --journal ../out/core-journal --settle 20s \
            >../out/core-stdout 2>../out/core-stderr </dev/null
    ) &
    client_pid=$!
    started="$started $client_pid"
}

says() {
    grep -qs -- "$1" out/core-stderr || ended "$client_pid"
}

core_world=world.yaml
# core NAME WORDS COMMAND OPTION...: a core file of the moment the client says these words.
core() {
    name=$1 words=$2
    shift 2
    sim_start "$dir/$core_world" 200 || return
    [ "$core_world" = world.yaml ] || escrow_declare
    rm -f out/core-*
    begin "$@"
    within says "$words"
    expect "$name: it runs" running "$client_pid"
    take_core "$name"
    if [ -s "cores/$name.core" ]; then
        expect "$name: the core holds what the client works on" grep -aqF 'rg-payroll-dr' "cores/$name.core"
    else
        no "$name: a core was written by $core_by"
    fi
    cp sim-world.yaml "$name.world" 2>/dev/null
    sim_stop
}

# --- a full recovery, everything written kept -----------------------------------------------------------------------------

written() {
    name=$1
    shift
    timeout 600 "$binary" "$@" -f estate --cloud cloud.yaml >"out/$name.stdout" 2>"out/$name.stderr" </dev/null
}

sim_start "$dir/world.yaml" 200 || checks_end || exit 1
written plan plan --out out/saved.plan --record out/record
written plan-json plan -o json
for shell in powershell cli curl; do
    written "runbook-$shell" runbook --shell "$shell"
done
written runbook-json runbook -o json
written apply apply -o json --debug --verbose --auto-approve --journal out/journal --settle 20s --record out/record
expect "the recovery was carried out" grep -q '"exitCode":0' out/apply.stdout
expect "and its requests were told in full" [ "$(count '"uri":"[^"]*/keys/restore' out/apply.stderr)" -ge 1 ]
expect "account keys were in use" [ "$(count '/listKeys' out/record)" -ge 1 ]
expect "a key was restored" [ "$(count '/keys/restore' out/record)" -ge 1 ]
written drift drift
AZURE_CLIENT_SECRET="${planted}y" written wrong drift
# The escrow is the one place where a backup may go, because the user declares it.
escrow_declare
written escrow apply --auto-approve --approve built-in/escrow=keeper --journal out/escrow-journal --record out/escrow-record
expect "the key was put into escrow" [ "$(count '"PUT".*keybackup' out/escrow-record)" = 1 ]
cp sim-record out/sim-record
learn_secrets
sim_stop
# Lost again, and brought back from the escrow.
sed 's/"state": "active"/"state": "purged"/' sim-world.yaml >lost-again.yaml
sim_start "$dir/lost-again.yaml" 300 || checks_end || exit 1
escrow_declare
written from-escrow apply --auto-approve --approve built-in/restore-key=tester --journal out/from-escrow-journal --record out/from-escrow-record
expect "the key was restored from its escrow" [ "$(count '"GET","uri":"[^"]*[.]keybackup"' out/from-escrow-record)" = 1 ]
expect "and no pass was run" [ "$(count '"POST".*/recoveryPoints/' out/from-escrow-record)" = 0 ]
cp "$example/estate.yaml" estate/estate.yaml
sim_stop
expect "what is searched with finds each of them" seeker_works
for file in out/*; do
    [ -s "$file" ] && clean "$file" "$file"
done

# --- answers that repeat what they refuse ------------------------------------------------------------------------------------

# repeats NAME STATUS REQUEST SECRET: that request is refused with a body that holds the secret.
repeats() {
    {
        sed '/^  faults: /d' world.yaml
        printf '  faults:\n    - on: {%s}\n      every: true\n      do:\n        status: %s\n        body: |\n' "$3" "$2"
        printf '          {"error": {"code": "Odd", "message": "refused: %s (of yours)"}}\n' "$4"
    } >odd.yaml
    sim_start "$dir/odd.yaml" 600 || return
    written "odd-$1" apply --auto-approve --settle 20s --journal out/odd-journal --record "out/odd-$1-record"
    expect "$1: the refusal is told" grep -q 'refused: ' "out/odd-$1.stderr"
    for file in "out/odd-$1.stdout" "out/odd-$1.stderr" "out/odd-$1-record" out/odd-journal; do
        [ -s "$file" ] && clean "$file" "$file"
    done
    sim_stop
}
repeats token 401 'path: /oauth2/' "$planted and Planted%2BClient%2FSecret%3D4711%25x"

# Tokens and key backups cannot be known before they are sent: tests/unit/test_http.c has a service that repeats those.

# A key that lives, and the source VM on it: there is something to put into escrow, and something to remember.
alive() {
    sed -n '/diskEncryptionSets\/des-payroll$/,/^  # The least/p; /^  # The least/q' "$here/../examples/02-deleted-key/world.yaml" | sed '$d' >source
    awk 'FNR == NR { source = source $0 "\n"; next } /^  # The least/ { printf "%s", source } { sub(/state: purged/, "state: active"); print }' \
        source world.yaml >alive.yaml
}

alive
sim_start "$dir/alive.yaml" 3600 || checks_end || exit 1
written history plan --history out/history
expect "a history was kept" grep -q 'kind: History' out/history
sim_stop
clean "out/history" out/history

# --- other ways to sign in --------------------------------------------------------------------------------------------------

# Each of them has a secret of its own, which is nowhere else than in its variable or file.
job_token=Planted-Job-Token-of-a-runner pfx_password=Planted-Password-of-a-Pfx
openssl req -x509 -newkey rsa:2048 -nodes -keyout ours.key -out ours.crt -days 2 -subj /CN=ours 2>/dev/null
openssl pkcs12 -export -inkey ours.key -in ours.crt -out ours.pfx -passout "pass:$pfx_password" 2>/dev/null
certificate=$(sed ':a;N;$!ba;s/\n/\\\\n/g' ours.crt)
sed -e "s#secret: '$planted'#&, machine: system, certificate: \"$certificate\\\\n\", federated: [{issuer: github, subject: 'repo:octo/estate:ref:refs/heads/main'}, \\
{issuer: kubernetes, subject: 'system:serviceaccount:dr:reinstate'}]#" -e "s#^  behaviour:#  jobToken: $job_token\n&#" world.yaml >ways.yaml
secret "token of the runner" "$job_token"
secret "password of the certificate" "$pfx_password"
for line in 3 12 20; do
    secret "private key, line $line" "$(sed -n "${line}p" ours.key)"
done
openssl pkey -in ours.key -outform DER | tail -c 200 | head -c 40 | secret_bytes "private key"

# as VARIABLE=VALUE... -- COMMAND...: without the client secret, with these variables.
as() {
    unset AZURE_CLIENT_SECRET
    while [ "$1" != -- ]; do
        export "${1?}"
        names="${names:-} ${1%%=*}"
        shift
    done
    shift
    "$@"
    for variable in $names; do
        unset "$variable"
    done
    names=
    sign_in "$planted"
}

# way NAME VARIABLE=VALUE...: a look, and all that it writes.
way() {
    way_name=$1
    shift
    as "$@" -- written "way-$way_name" drift -o json --record "out/way-$way_name-record"
    expect "$way_name: it looked" grep -q '"differences"' "out/way-$way_name.stdout"
    for file in "out/way-$way_name.stdout" "out/way-$way_name-record"; do
        clean "$file" "$file"
    done
}

sim_start "$dir/ways.yaml" 1 || checks_end || exit 1
port=$(sim_port)
machine=$(sed -n 's/.*AZURE_POD_IDENTITY_AUTHORITY_HOST=//p' sim-stderr)
curl -s --cacert cloud.yaml.ca.pem "https://oidc.localhost:$port/kubernetes/token" >pod-token
secret "token of the pod" "$(cut -d. -f2 pod-token)"
mkdir bin
cat >bin/az <<END
#!/bin/sh
printf '{"accessToken": "%s", "tokenType": "Bearer"}' "\$(curl -s --cacert $dir/cloud.yaml.ca.pem "https://login.localhost:$port/$AZURE_TENANT_ID/oauth2/v2.0/token" \\
    --data-urlencode "scope=\$6/.default" -d grant_type=client_credentials -d client_id=$AZURE_CLIENT_ID --data-urlencode 'client_secret=$planted' |
    sed 's/.*"access_token": *"\([^"]*\)".*/\1/')"
END
chmod +x bin/az
PATH=$dir/bin:$PATH
way certificate AZURE_CLIENT_CERTIFICATE_PATH="$dir/ours.pfx" AZURE_CLIENT_CERTIFICATE_PASSWORD="$pfx_password"
way pod AZURE_FEDERATED_TOKEN_FILE="$dir/pod-token"
way github ACTIONS_ID_TOKEN_REQUEST_URL="https://oidc.localhost:$port/github/token" ACTIONS_ID_TOKEN_REQUEST_TOKEN="$job_token"
way app IDENTITY_ENDPOINT="$machine/msi/token" IDENTITY_HEADER="$job_token" AZURE_TOKEN_CREDENTIALS=ManagedIdentityCredential
way az AZURE_TOKEN_CREDENTIALS=AzureCliCredential
sim_stop

if [ -n "$core_by" ]; then
    core_world=ways.yaml
    as AZURE_CLIENT_CERTIFICATE_PATH="$dir/ours.pfx" AZURE_CLIENT_CERTIFICATE_PASSWORD="$pfx_password" -- core certificate 'will show Failed: intended' apply
    core_world=world.yaml
    core mid-export 'will show Failed: intended' apply
    core key-restored '#restore-key  done' apply
    core recorded '#restore-key  done' apply --record ../out/core-record
    core all-done '#verify  done' watch --interval 7d
    core_world=alive.yaml
    core escrowed '#escrow-key  done' apply --approve built-in/escrow=Ada --approve built-in/escrow-elsewhere=Ada --history ../out/history
    for file in cores/*.core; do
        clean "$file" "$file"
    done
elif [ -n "${CI:-}" ]; then
    no "no way to take a core file: core_pattern leads elsewhere and gcore is not there"
else
    echo "skipped: core files (core_pattern leads elsewhere and gcore is not there)"
fi

checks_end
