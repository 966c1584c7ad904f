# shellcheck shell=bash

# What az says goes to the screen without what a terminal would obey.
az() {
    command az "$@" --only-show-errors 2>"$work/error" && return
    plain <"$work/error"
    return 1
}
# send: of Resource Manager by az, of blobs by curl.
send() { if [ "$1" = ARM ]; then by_az "${@:2:3}"; else by_curl "$@"; fi; }
# by_az METHOD URL BODY: one request, sent once. Status and headers stand only in the trace of az, of which nothing else is kept.
by_az() {
    local more=() rc
    [ "$3" = - ] || more=(--body "$3")
    rm -f "$work/refused"
    : >"$work/error"
    command az rest --method "${1,,}" --url "$2" "${more[@]}" --debug -o json 2>&1 >"$work/body" |
        awk -v refused="$work/refused" -v error="$work/error" '
            / cli\.azure\.cli\.core\.util: Response status: [0-9]+$/ && !status { status = $NF; print "HTTP/1.1 " status; next }
            / cli\.azure\.cli\.core\.util: Response content:$/ { content = status >= 400; headers = 1; next }
            /^(DEBUG|INFO|WARNING|ERROR): / && content > 1 { content = 0 }
            content { if (content == 1) sub(/^[A-Z]*: cli\.azure\.cli\.core\.util: /, ""); content = 2; print >refused; next }
            status && !headers && match($0, /util: +.[A-Za-z-]+.: ./) {
                name = substr($0, RSTART + 5, RLENGTH - 5); value = substr($0, RSTART + RLENGTH); gsub(/[^A-Za-z-]/, "", name)
                if (tolower(name) ~ /^(azure-asyncoperation|location|retry-after|date)$/) print name ": " substr(value, 1, length(value) - 1)
            }
            /^ERROR: / { print >error }' >"$work/head"
    rc=${PIPESTATUS[0]}
    [ ! -s "$work/refused" ] || mv "$work/refused" "$work/body"
    # A trace in other words: that it was taken is known all the same; that it was refused is not.
    [ "$rc" != 0 ] || [ -n "$(status)" ] || echo 'HTTP/1.1 200' >"$work/head"
    [[ $(status) = 2?? ]]
}
# sign_in: the token that claims are read and written by; az has the others.
sign_in() { REINSTATE_TOKEN_STORAGE=$(az account get-access-token --resource "$storage" --query accessToken -o tsv); }

renew() { sign_in || stop 'no token for storage: az login'; }
# tell_time: az does not show Azure's clock; whoever asks its front door without a token is told.
tell_time() { curl -q -gsS --proto =https -I -o "$work/head" "$arm/" 2>/dev/null || : >"$work/head"; }
# endpoint_of ACCOUNT-ID: the address of its blobs, as Azure shows it.
endpoint_of() { az storage account show --ids "$1" --query primaryEndpoints.blob -o tsv | sed 's|/$||'; }
# first_key ACCOUNT-ID: a key of the account, through a pipe.
first_key() { az rest --method post --url "$arm$(part "$1")/listKeys?api-version=$api_storage" --query 'keys[0].value' -o tsv; }

# principal_of ID: who a set acts by: its own identity, or else its first user-assigned one.
principal_of() {
    az disk-encryption-set show --ids "$1" -o json >"$work/body"
    answer '.identity | if ((.type // "SystemAssigned") | test("SystemAssigned"; "i")) then .principalId
        else [.userAssignedIdentities // {} | to_entries[].value.principalId] | first end'
}
