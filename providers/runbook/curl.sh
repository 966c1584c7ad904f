# shellcheck shell=bash

# token SCOPE: by client secret; the secret goes through a pipe, never onto a command line.
token() {
    printf %s "$AZURE_CLIENT_SECRET" |
        curl -q -gsS --proto =https --fail --data-urlencode client_secret@- -d grant_type=client_credentials \
            --data-urlencode "client_id=$AZURE_CLIENT_ID" --data-urlencode "scope=$1" "$authority/$tenant/oauth2/v2.0/token" |
        jq -er .access_token
}

# renew: before a step, and before what cannot be sent twice. Tokens that were given are looked at, where they say when they end.
renew() {
    local name end
    if [ -n "${AZURE_CLIENT_SECRET:-}" ]; then
        sign_in || stop 'the sign-in failed'
        return
    fi
    [ -s "$work/head" ] || return 0
    for name in "${!REINSTATE_TOKEN_@}"; do
        end=$(of_token exp "$name")
        [[ ! $end =~ ^[0-9]+$ ]] || [ "$end" -gt "$(clock)" ] || stop "$name has ended: put a new one there, and run this step again"
    done
}
send() { by_curl "$@"; }
# tell_time: every answer shows Azure's clock.
tell_time() { :; }
# endpoint_of ACCOUNT-ID: the address of its blobs, as Azure shows it.
endpoint_of() {
    ask ARM GET "$arm$(part "$1")?api-version=$api_storage" && jq -r '.properties.primaryEndpoints.blob // "" | rtrimstr("/")' "$work/body"
}
# first_key ACCOUNT-ID: a key of the account, through a pipe.
first_key() {
    curl -q -gsS --proto =https --path-as-is --fail -X POST -d '' -H @<(authorize ARM) \
        "$arm$(part "$1")/listKeys?api-version=$api_storage" 2>"$work/error" | jq -er '.keys[0].value'
}

# settled ID API-VERSION: the resource, once it is no longer in the making.
settled() {
    local state
    waited=0
    while :; do
        call ARM GET "$arm$1?api-version=$2"
        state=$(answer '.properties.provisioningState // "Succeeded"')
        case ${state,,} in
        succeeded) return 0 ;;
        failed | canceled | cancelled) stop "$1 is $state" ;;
        esac
        wait_for "$1" 5
    done
}

# principal_of: of the set just read, the one it acts by: its own identity, or else its first user-assigned one.
principal_of() {
    answer '.identity | if ((.type // "SystemAssigned") | test("SystemAssigned"; "i")) then .principalId
        else [.userAssignedIdentities // {} | to_entries[].value.principalId] | first end'
}

# readable URL: a blob may be read, by token or by the account's key. fetch URL: it, to a pipe. Azure pads it with zero bytes.
readable() { ask STORAGE HEAD "$1" - "x-ms-version: $api_blob"; }
fetch() {
    curl -q -gsS --proto =https --path-as-is --fail -H @<(authorize STORAGE "$(http_date)" GET "$1" - "x-ms-version: $api_blob") \
        -H "x-ms-version: $api_blob" "$1" | tr -d '\000'
}

# assign AUDIENCE PLACE QUERY NAME BODY: a role assignment. One that is there already, under whatever name, is as good; a new identity
# is not known everywhere at once. Sets granted to the time of the newest grant, in seconds; new says whether this one was made.
new='' principal=''
assign() {
    local place=$2/$4$3 n
    for n in 1 2 3 4 5 6; do
        new=''
        if ask "$1" PUT "$place" "$5"; then
            new=yes
            granted_at "$(jq -r '.properties.createdOn // ""' "$work/body")"
            return
        fi
        case $(status) in
        409)
            [ "$1" = ARM ] || return 0
            ask ARM GET "$2$3&%24filter=principalId%20eq%20%27$principal%27" || return 0
            granted_at "$(jq -r --argjson of "$5" '[.value[]?.properties | select((.roleDefinitionId | split("/") | last | ascii_downcase) ==
                ($of.properties.roleDefinitionId | split("/") | last | ascii_downcase)) | .createdOn] | max // ""' "$work/body")"
            return 0
            ;;
        400 | 404 | 429 | 5[0-9][0-9]) ;;
        *) break ;;
        esac
        [ "$n" = 6 ] || wait_for 'the new identity to be known' 30
    done
    call "$1" PUT "$place" "$5" || stop 'the role was not assigned'
}
