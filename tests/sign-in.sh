#!/bin/sh
# Every way to sign in, against the simulated Azure's own Entra, issuers and machine: sign-in.sh BINARY. What is refused is told with
# its cause, and no secret of the environment is in what is written.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?sign-in.sh BINARY}") || exit 1
example=$here/../examples/01-lost-key
. "$here/checks.sh"
checks_begin sign-in
cd "$dir" || exit 1
LC_ALL=C
export LC_ALL
tenant=0f0f0f0f-0000-4000-8000-000000000001 app=0f0f0f0f-0000-4000-8000-00000000000b
mkdir estate home
cp "$example/estate.yaml" "$example/policy.yaml" estate

# What this shell brings along must not decide.
for name in $(env | sed -n 's/^\(AZURE[A-Z]*_[A-Z_]*\|ARM_[A-Z_]*\|ACTIONS_[A-Z_]*\|SYSTEM_[A-Z_]*\|REINSTATE_TOKEN_[A-Z]*\|IDENTITY_[A-Z]*\|MSI_[A-Z]*\|IMDS_[A-Z]*\)=.*/\1/p'); do
    unset "$name"
done

federated="federated: [{issuer: github, subject: 'repo:octo/estate:ref:refs/heads/main'}, {issuer: pipelines, subject: 'sc://4711'}, \
{issuer: kubernetes, subject: 'system:serviceaccount:dr:reinstate'}]"
# A certificate of our own, as PEM and as PKCS#12; and one that nobody knows.
for name in ours other; do
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$name.key" -out "$name.crt" -days 2 -subj "/CN=$name" 2>/dev/null
    cat "$name.key" "$name.crt" >"$name.pem"
done
openssl pkcs12 -export -inkey ours.key -in ours.crt -out ours.pfx -passout pass:Planted-Pfx-Password 2>/dev/null
certificate="certificate: \"$(sed ':a;N;$!ba;s/\n/\\\\n/g' ours.crt)\\\\n\""

sed -e "s#secret: sim-client-secret#&, machine: system, $certificate, $federated#" \
    -e "s#^  behaviour:#  jobToken: Planted-Job-Token-4711\n  arcKey: $dir/agent.key\n&#" "$example/world.yaml" >world.yaml

# looks WHAT EXIT VARIABLE=VALUE... [-- OPTION...]: a drift, signed in by these variables alone.
looks() {
    what=$1 wanted=$2
    shift 2
    timeout 120 env HOME="$dir/home" "$@" >stdout 2>stderr </dev/null
    code=$?
    expect "$what: exit $code" [ "$code" = "$wanted" ]
}

says() {
    if grep -qF -e "$1" stderr stdout; then ok "it says: $1"; else no "it says: $1" stdout stderr; fi
}

drift="$binary drift -f estate --cloud cloud.yaml"
sim_start "$dir/world.yaml" 1 || checks_end || exit 1
oidc=https://oidc.localhost:$(sim_port)
ids="AZURE_TENANT_ID=$tenant AZURE_CLIENT_ID=$app"

# --- a certificate --------------------------------------------------------------------------------------------------------------

looks "a certificate as PEM" 2 $ids AZURE_CLIENT_CERTIFICATE_PATH="$dir/ours.pem" $drift --record record
looks "as PKCS#12, with its chain" 2 $ids AZURE_CLIENT_CERTIFICATE_PATH="$dir/ours.pfx" AZURE_CLIENT_CERTIFICATE_PASSWORD=Planted-Pfx-Password AZURE_CLIENT_SEND_CERTIFICATE_CHAIN=true $drift
looks "in Terraform's words" 2 ARM_TENANT_ID=$tenant ARM_CLIENT_ID=$app ARM_CLIENT_CERTIFICATE="$(base64 -w0 ours.pfx)" ARM_CLIENT_CERTIFICATE_PASSWORD=Planted-Pfx-Password $drift
looks "one that is not registered" 1 $ids AZURE_CLIENT_CERTIFICATE_PATH="$dir/other.pem" $drift
says "AADSTS700027"
looks "with a wrong password" 1 $ids AZURE_CLIENT_CERTIFICATE_PATH="$dir/ours.pfx" AZURE_CLIENT_CERTIFICATE_PASSWORD=Planted-Wrong-Password $drift
says "or the password is not its own"
looks "a certificate without its key" 1 $ids AZURE_CLIENT_CERTIFICATE_PATH="$dir/ours.crt" $drift
says "no PEM text with a private key"

# --- tokens of other issuers ----------------------------------------------------------------------------------------------------

curl -s --cacert cloud.yaml.ca.pem "$oidc/kubernetes/token" >token
expect "Kubernetes has written a token" [ -s token ]
echo >>token
looks "workload identity" 2 $ids AZURE_FEDERATED_TOKEN_FILE="$dir/token" $drift
looks "workload identity in Terraform's words" 2 ARM_TENANT_ID=$tenant ARM_CLIENT_ID=$app ARM_OIDC_TOKEN_FILE_PATH="$dir/token" $drift
looks "by name" 2 $ids AZURE_CLIENT_SECRET=wrong AZURE_FEDERATED_TOKEN_FILE="$dir/token" $drift --credential workload-identity
looks "by the SDK's name" 2 $ids AZURE_CLIENT_SECRET=wrong AZURE_FEDERATED_TOKEN_FILE="$dir/token" AZURE_TOKEN_CREDENTIALS=WorkloadIdentityCredential $drift
curl -s --cacert cloud.yaml.ca.pem "$oidc/kubernetes/token?subject=system:serviceaccount:dr:other" >other
looks "of another subject" 1 $ids AZURE_FEDERATED_TOKEN_FILE="$dir/other" $drift
says "AADSTS700213"
looks "the file is not there" 1 $ids AZURE_FEDERATED_TOKEN_FILE="$dir/none" $drift
says "none"
says "AZURE_FEDERATED_TOKEN_FILE"

github="ACTIONS_ID_TOKEN_REQUEST_URL=$oidc/github/token?api-version=2.0 ACTIONS_ID_TOKEN_REQUEST_TOKEN=Planted-Job-Token-4711"
looks "GitHub Actions" 2 $ids $github $drift --record record
expect "the job's token is asked for" [ "$(count '"uri":"[^"]*/github/token' record)" -ge 1 ]
looks "in a job without the permission" 1 GITHUB_ACTIONS=true $ids $drift --credential github
says "id-token: write"
looks "of another branch" 1 $ids ACTIONS_ID_TOKEN_REQUEST_URL="$oidc/github/token?subject=repo:octo/estate:pull_request" ACTIONS_ID_TOKEN_REQUEST_TOKEN=Planted-Job-Token-4711 $drift
says "AADSTS700213"
looks "with a token that the runner did not give" 1 $ids ACTIONS_ID_TOKEN_REQUEST_URL="$oidc/github/token" ACTIONS_ID_TOKEN_REQUEST_TOKEN=Planted-Other-Token-4711 $drift
says "get the job's own token"

pipelines="SYSTEM_OIDCREQUESTURI=$oidc/pipelines/oidctoken SYSTEM_ACCESSTOKEN=Planted-Job-Token-4711"
looks "Azure Pipelines" 2 AZURESUBSCRIPTION_CLIENT_ID=$app AZURESUBSCRIPTION_TENANT_ID=$tenant AZURESUBSCRIPTION_SERVICE_CONNECTION_ID=4711 $pipelines $drift --record record
looks "Azure Pipelines in Terraform's words" 2 ARM_TENANT_ID=$tenant ARM_CLIENT_ID=$app ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID=4711 $pipelines $drift
looks "a step that was not given its token" 1 $ids SYSTEM_OIDCREQUESTURI="$oidc/pipelines/oidctoken" $drift --credential pipelines
says 'SYSTEM_ACCESSTOKEN: $(System.AccessToken)'

# --- the machine's own identity -------------------------------------------------------------------------------------------------

machine=$(sed -n 's/.*AZURE_POD_IDENTITY_AUTHORITY_HOST=//p' sim-stderr)
expect "the machine has identities" [ -n "$machine" ]
imds="AZURE_POD_IDENTITY_AUTHORITY_HOST=$machine"
looks "managed identity" 2 $imds PATH=/nowhere $drift --record record
says "Signed in by managed-identity."
expect "the metadata service is asked once for each audience, whoever waits" [ -z "$(grep -o '/metadata/identity/[^"]*resource=[^"]*' record | sort | uniq -d)" ]
looks "by name, of a user" 2 $imds AZURE_CLIENT_ID=$app $drift --credential managed-identity
looks "one that the machine has not" 1 $imds AZURE_CLIENT_ID=0f0f0f0f-0000-4000-8000-0000000000ff $drift --credential managed-identity
says "Identity not found"
looks "App Service and Container Apps" 2 IDENTITY_ENDPOINT="$machine/msi/token" IDENTITY_HEADER=Planted-Job-Token-4711 PATH=/nowhere $drift --record record
looks "with a header that is not its own" 1 IDENTITY_ENDPOINT="$machine/msi/token" IDENTITY_HEADER=Planted-Other-Token-4711 $drift --credential managed-identity
looks "plain http leads to no other machine" 1 IDENTITY_ENDPOINT="http://192.0.2.1/msi/token" IDENTITY_HEADER=Planted-Job-Token-4711 $drift --credential managed-identity
says "plain http does not go there"

looks "Cloud Shell" 2 MSI_ENDPOINT="$machine/cloudshell/oauth2/token" PATH=/nowhere $drift --record record
says "Signed in by managed-identity."
looks "Cloud Shell knows its user only" 1 MSI_ENDPOINT="$machine/cloudshell/oauth2/token" AZURE_CLIENT_ID=$app $drift --credential managed-identity
says "Cloud Shell has the identity of its user only"

# The agent of Azure Arc may name keys of its own folder only (tests/unit/test_credentials.c shows it one).
echo Planted-Job-Token-4711 >agent.key
looks "an agent that asks for a file elsewhere" 1 IDENTITY_ENDPOINT="$machine/arc/metadata/identity/oauth2/token" IMDS_ENDPOINT="$machine" $drift --credential managed-identity
says "names a key outside /var/opt/azcmagent/tokens/"
expect "the agent answers who shows it" [ "$(curl -s -H 'Metadata: true' -H 'Authorization: Basic Planted-Job-Token-4711' "$machine/arc/metadata/identity/oauth2/token?api-version=2020-06-01&resource=https://management.localhost:$(sim_port)" | grep -c '"access_token"')" = 1 ]

# --- programs that somebody has signed in with ----------------------------------------------------------------------------------

# Signed in as the operator: fake FILE MEMBER LAST-WORDS-BEFORE-RESOURCE...
mkdir bin folder
cat >bin/az <<END
#!/bin/sh
echo "\$@" >>$dir/az-asked
[ -n "\${AZURE_CLIENT_SECRET:-}\${IDENTITY_HEADER:-}" ] && echo secret >>$dir/az-asked
[ -f $dir/signed-out ] && { echo "ERROR: Please run 'az login' to setup account. eyJhbGciOi.Planted-Token" >&2; exit 1; }
[ "\$1 \$2 \$3 \$4 \$5" = "account get-access-token --output json --resource" ] || exit 2
token=\$(/usr/bin/curl -s --cacert $dir/cloud.yaml.ca.pem --data-urlencode "scope=\$6/.default" -d grant_type=client_credentials -d client_id=$app \\
    -d client_secret=sim-client-secret https://login.localhost:$(sim_port)/$tenant/oauth2/v2.0/token | /bin/sed 's/.*"access_token": *"\([^"]*\)".*/\1/')
echo "{\"accessToken\": \"\$token\", \"expiresOn\": \"2026-11-23 05:00:00.000000\", \"tenant\": \"$tenant\", \"tokenType\": \"Bearer\"}"
END
sed -e 's/account get-access-token --output json --resource/auth token --output json --no-prompt/' -e 's/az-asked/azd-asked/' \
    -e 's#scope=$6/.default#scope=$7#' -e 's/accessToken/token/' -e '/signed-out/d' bin/az >folder/azd
chmod +x bin/az folder/azd
nothing="AZURE_POD_IDENTITY_AUTHORITY_HOST=http://127.0.0.1:9"
looks "Azure CLI, where the machine has no identity" 2 $nothing PATH="relative:$dir/bin" $drift --record record
says "Signed in by azure-cli."
expect "az is asked once for each audience" [ "$(sort az-asked | uniq -d | wc -l)" = 0 ]
expect "and for the tenant that is declared" [ "$(count "--tenant $tenant" az-asked)" -ge 2 ]
looks "the secrets of the environment are not inherited" 2 IDENTITY_HEADER=Planted-Job-Token-4711 PATH="$dir/bin" $drift --credential azure-cli
expect "by az" [ "$(count secret az-asked)" = 0 ]
: >signed-out
looks "nobody is signed in" 1 $nothing PATH="$dir/bin" $drift
expect "each is told" [ "$(count '^  (tokens|client-secret|client-certificate|workload-identity|pipelines|github|managed-identity|azure-cli|azd): ' stderr)" = 9 ]
says "Please run 'az login'"
expect "but no token" [ "$(count 'Planted-Token' stderr)" = 0 ]
rm signed-out
looks "Azure Developer CLI" 2 PATH="$dir/folder" $drift --credential azd
looks "no program of that name" 1 PATH="$dir/folder" $drift --credential azure-cli
expect "is told" grep -qx "  azure-cli: az is in no folder of PATH" stderr
looks "only programs that people sign in with" 1 $imds AZURE_TOKEN_CREDENTIALS=dev PATH=/nowhere $drift

# --- several tenants ------------------------------------------------------------------------------------------------------------

mkdir two
cp estate/* two
cat >two/other.yaml <<END
apiVersion: reinstate/v1
kind: Azure
metadata: {name: other}
spec: {tenant: 0f0f0f0f-0000-4000-8000-0000000000aa, subscription: 0f0f0f0f-0000-4000-8000-000000000099}
END
sed 's/^spec:$/spec:\n  azure: prod/; s/^spec: {/&azure: prod, /' estate/estate.yaml >two/estate.yaml
sed -i '/^kind: Azure$/,/^---/s/^  azure: prod$//' two/estate.yaml
two="$binary drift -f two --cloud cloud.yaml"
looks "a secret is of one tenant" 1 $ids AZURE_CLIENT_SECRET=sim-client-secret $two
says "the secret is not sent there"
says "AZURE_ADDITIONALLY_ALLOWED_TENANTS=0f0f0f0f-0000-4000-8000-0000000000aa"
looks "unless the operator says more" 2 $ids AZURE_CLIENT_SECRET=sim-client-secret AZURE_ADDITIONALLY_ALLOWED_TENANTS=0f0f0f0f-0000-4000-8000-0000000000aa $two
looks "a role lives in one tenant" 1 $ids AZURE_CLIENT_SECRET=sim-client-secret AZURE_ADDITIONALLY_ALLOWED_TENANTS=0f0f0f0f-0000-4000-8000-0000000000aa "$binary" doctor -f two --cloud cloud.yaml --assign
says "a role lives in one"
looks "in Terraform's words" 2 ARM_TENANT_ID=$tenant ARM_CLIENT_ID=$app ARM_CLIENT_SECRET=sim-client-secret "ARM_AUXILIARY_TENANT_IDS=0f0f0f0f-0000-4000-8000-0000000000ab;0f0f0f0f-0000-4000-8000-0000000000aa" $two

# --- who vouches for the service ------------------------------------------------------------------------------------------------

sed '/"caFile"/d' cloud.yaml >plain.yaml
plain="$binary drift -f estate --cloud plain.yaml"
looks "an authority of SSL_CERT_FILE" 2 $ids AZURE_CLIENT_SECRET=sim-client-secret SSL_CERT_FILE="$dir/cloud.yaml.ca.pem" $plain
looks "nobody vouches for it" 1 $ids AZURE_CLIENT_SECRET=sim-client-secret SSL_CERT_FILE= $plain
says "name its CA in SSL_CERT_FILE or the --cloud file"

# --- what doctor says of it -----------------------------------------------------------------------------------------------------

doctor="$binary doctor -f estate --cloud cloud.yaml"
looks "doctor" 2 $ids AZURE_CLIENT_SECRET=sim-client-secret $doctor
says "signed in by client-secret"
says "object 0f0f0f0f-0000-4000-8000-00000000000a, application $app, tenant $tenant"
says ", from 127.0.0.1"
says "the cloud says the same of itself as is used here"
expect "each service answers" [ "$(grep -c ': no answer' stdout)" = 0 ]
looks "doctor with a wrong secret" 1 $ids AZURE_CLIENT_SECRET=Planted-Wrong-Secret $doctor
says "AADSTS7000215"
says "Resource Manager https://management.localhost"
expect "but no secret" [ "$(count 'Planted-Wrong' stdout)" = 0 ]
sed 's/"vaultSuffix": ".vault/"vaultSuffix": ".elsewhere/' cloud.yaml >other.cloud.yaml
looks "doctor, where a cloud file errs" 2 $ids AZURE_CLIENT_SECRET=sim-client-secret $binary doctor -f estate --cloud other.cloud.yaml
says "and the cloud names vault.localhost"

# --- nothing, and what is said of it --------------------------------------------------------------------------------------------

looks "a name that is none" 1 $ids $drift --credential githup
says "did you mean github?"
looks "half a secret" 1 $ids $drift --credential client-secret
expect "as a list" grep -qx "  client-secret: AZURE_CLIENT_SECRET not set" stderr
"$binary" explain credentials >stdout 2>stderr
for name in tokens client-secret client-certificate workload-identity pipelines github managed-identity azure-cli azd; do
    expect "$name is explained" grep -q "^  $name " stdout
done

expect "no token and no secret is in the record" [ "$(count "Planted|$(head -n 1 token | cut -d. -f2)|eyJhbGci" record)" = 0 ]
[ "$failed" = 0 ] || grep -oE "Planted.{60}|$(head -n 1 token | cut -d. -f2)|.{0,90}eyJhbGci.{0,60}" record | sort | uniq -c | head -5
sim_stop
checks_end
