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
sed -e "s#secret: sim-client-secret#&, $federated#" \
    -e "s#^  behaviour:#  jobToken: Planted-Job-Token-4711\n&#" "$example/world.yaml" >world.yaml

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

# --- nothing, and what is said of it --------------------------------------------------------------------------------------------

looks "a name that is none" 1 $ids $drift --credential githup
says "did you mean github?"
looks "half a secret" 1 $ids $drift --credential client-secret
expect "as a list" grep -qx "  client-secret: AZURE_CLIENT_SECRET not set" stderr

expect "no token and no secret is in the record" [ "$(count "Planted|$(cut -d. -f2 token)|eyJhbGci" record)" = 0 ]
sim_stop
checks_end
