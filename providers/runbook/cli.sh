# shellcheck shell=bash

# What az says goes to the screen without what a terminal would obey.
az() {
    command az "$@" --only-show-errors 2>"$work/error" && return
    plain <"$work/error"
    return 1
}
# sign_in: the token that claims are read and written by; az has the others.
sign_in() { REINSTATE_TOKEN_STORAGE=$(az account get-access-token --resource "$storage" --query accessToken -o tsv); }

renew() { sign_in || stop 'no token for storage: az login'; }
# tell_time: az does not show Azure's clock; whoever asks its front door without a token is told.
tell_time() { curl -q -gsS --proto =https -I -o "$work/head" "$arm/" 2>/dev/null || : >"$work/head"; }
# endpoint_of ACCOUNT-ID: the address of its blobs, as Azure shows it.
endpoint_of() { az storage account show --ids "$1" --query primaryEndpoints.blob -o tsv | sed 's|/$||'; }

# principal_of ID: who a set acts by: its own identity, or else its first user-assigned one.
principal_of() {
    az disk-encryption-set show --ids "$1" -o json >"$work/body"
    answer '.identity | if ((.type // "SystemAssigned") | test("SystemAssigned"; "i")) then .principalId
        else [.userAssignedIdentities // {} | to_entries[].value.principalId] | first end'
}
