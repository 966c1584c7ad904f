# shellcheck shell=bash
set -euo pipefail
umask 077
from=${1:-1}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

say() { printf '%s\n' "$*" >&2; }
stop() { say "STOP: $*"; exit 1; }
# Waits are real. REINSTATE_PAUSE names a command that gets the seconds instead, for rehearsals against a simulated Azure.
pause() { "${REINSTATE_PAUSE:-sleep}" "$1"; }

# token SCOPE: by client secret; the secret goes through a pipe, never onto a command line.
token() {
    printf %s "$AZURE_CLIENT_SECRET" |
        curl -gsS --fail --data-urlencode client_secret@- -d grant_type=client_credentials --data-urlencode "client_id=$AZURE_CLIENT_ID" \
            --data-urlencode "scope=$1" "$authority/$tenant/oauth2/v2.0/token" | jq -er .access_token
}

# call AUDIENCE METHOD URL [BODY | @-]: one request; its head and body are left in $work.
call() {
    local name=REINSTATE_TOKEN_$1 method=$2 url=$3 more=()
    [ $# -lt 4 ] || more=(-H 'Content-Type: application/json' --data-binary "$4")
    [ "$method" != GET ] || more+=(--retry 5)
    : >"$work/head"
    : >"$work/body"
    if curl -gsS --fail-with-body -X "$method" -D "$work/head" -o "$work/body" \
        -H @<(printf 'Authorization: Bearer %s\n' "${!name}") "${more[@]}" "$url" 2>"$work/error"; then
        return 0
    fi
    if [ "$(status)" = 401 ] && [ "${4:-}" != @- ] && [ -z "${renewed:-}" ] && sign_in; then
        renewed=yes call "$@"
        return
    fi
    cat "$work/error" "$work/body" >&2
    return 1
}
status() { awk 'toupper($1) ~ /^HTTP/ { s = $2 } END { print s }' "$work/head"; }
header() { tr -d '\r' <"$work/head" | awk -v h="$1: " 'tolower(substr($0, 1, length(h))) == h { v = substr($0, length(h) + 1) } END { print v }'; }
answer() { jq -er "$@" "$work/body"; }

# follow: what the last call began, to its end.
follow() {
    local url wait state
    url=$(header azure-asyncoperation)
    while [ -n "$url" ]; do
        wait=$(header retry-after)
        pause "${wait:-30}"
        call ARM GET "$url"
        state=$(answer '.status // "Succeeded"')
        case $state in
        Succeeded) return 0 ;;
        Failed | Canceled) jq -c . "$work/body" >&2; stop "the operation ended $state" ;;
        esac
    done
    url=$(header location)
    while [ "$(status)" = 202 ] && [ -n "$url" ]; do
        wait=$(header retry-after)
        pause "${wait:-30}"
        call ARM GET "$url"
    done
}

# settled ID API-VERSION: the resource, once it is no longer in the making.
settled() {
    local state
    while :; do
        call ARM GET "$arm$1?api-version=$2"
        state=$(answer '.properties.provisioningState // "Succeeded"')
        case $state in
        Succeeded) return 0 ;;
        Failed | Canceled) stop "$1 is $state" ;;
        esac
        pause 5
    done
}
