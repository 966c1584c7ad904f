# shellcheck shell=bash
set -euo pipefail
umask 077
from=${1:-1}
work=$(mktemp -d)
: >"$work/head"
trap 'find "$work" -type f -exec shred -u {} + 2>/dev/null || :; rm -rf "$work"' EXIT

# plain: lines without what a terminal or a build log would obey. Names and texts come from Azure and from manifests.
plain() { jq -Rr '"  | " + gsub("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]"; "?") | gsub("##"; "# #")' >&2; }
say() { jq -nr --arg text "$*" '$text | gsub("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]"; "?") | gsub("##"; "# #") | sub("^ *::"; ": :")' >&2; }
stop() { say "STOP: $*"; exit 1; }
# Waits are real. REINSTATE_PAUSE names a command that gets the seconds instead, for rehearsals against a simulated Azure.
pause() { "${REINSTATE_PAUSE:-sleep}" "$1"; }
# wait_for WHAT SECONDS: one pause of a longer wait, which begins with waited=0; a line a minute says that it goes on.
wait_for() {
    local left=$2 now
    while [ "$left" -gt 0 ]; do
        now=$((left < 60 ? left : 60))
        pause "$now" || stop "the wait for $1 was cut off"
        [ $(((waited + now) / 60)) = $((waited / 60)) ] || say "  waiting for $1: $(((waited + now) / 60)) min"
        waited=$((waited + now)) left=$((left - now))
    done
}
answer() { jq -er "$@" "$work/body"; }

# origin URL: host and port of an https address; nothing for any other. A token goes to no host that only an answer names.
origin() {
    local host='^[hH][tT][tT][pP][sS]://([A-Za-z0-9.-]+)(:([0-9]+))?([/?#][^[:cntrl:][:space:]]*)?$'
    [[ $1 =~ $host ]] && printf '%s:%s\n' "${BASH_REMATCH[1],,}" "${BASH_REMATCH[3]:-443}"
}
# at_arm URL: it lies on Resource Manager's own host.
at_arm() { [ "$(origin "$1")" = "$(origin "$arm")" ] || stop "an answer leads to another host, and no token is sent there: $1"; }

# ask AUDIENCE METHOD URL [BODY [HEADER...]]: one request; its head and body are left in $work. BODY: - for none, @- for a pipe.
ask() {
    local name=REINSTATE_TOKEN_$1 method=$2 url=$3 body=${4:--} more=() one
    [ "$body" = - ] || more=(-H 'Content-Type: application/json' --data-binary "$body")
    [ "$method" != GET ] || more+=(--retry 5)
    for one in "${@:5}"; do
        more+=(-H "$one")
    done
    : >"$work/head"
    : >"$work/body"
    curl -q -gsS --proto =https --path-as-is --fail-with-body -X "$method" -D "$work/head" -o "$work/body" \
        -H @<(printf 'Authorization: Bearer %s\n' "${!name:-}") "${more[@]}" "$url" 2>"$work/error" &&
        [[ $(status) = 2?? ]] && return 0
    # A token that has ended is renewed once; what came through a pipe is gone, and cannot be sent again.
    if [ "$(status)" = 401 ] && [ "$body" != @- ] && [ -z "${renewed:-}" ] && sign_in; then
        renewed=yes ask "$@"
        return
    fi
    return 1
}
# call ...: the same; what is refused is shown.
call() {
    ask "$@" && return
    say "$2 ${3%%\?*}: $(status)"
    plain <"$work/error"
    { cat "$work/body"; echo; } | plain
    return 1
}
# Of the last answer: what was tried before it has heads of its own.
status() { awk 'toupper($1) ~ /^HTTP/ { s = $2 } END { print s }' "$work/head"; }
header() {
    tr -d '\r' <"$work/head" | awk -v h="$1: " 'toupper($1) ~ /^HTTP/ { v = "" }
        tolower(substr($0, 1, length(h))) == h { v = substr($0, length(h) + 1) } END { print v }'
}
# Azure's clock, in seconds, as the last answer shows it.
clock() { header date | jq -Rr 'strptime("%a, %d %b %Y %H:%M:%S GMT") | mktime' 2>/dev/null || date +%s; }

# part TEXT: as it stands in a URL.
part() { jq -nr --arg text "$1" '$text | split("/") | map(@uri) | join("/")'; }
# of_token MEMBER NAME: what a token says of itself; nothing when it cannot be read.
of_token() {
    jq -Rr --arg key "$1" 'split(".")[1] | gsub("-"; "+") | gsub("_"; "/") | . + ("===" [0:(4 - length % 4) % 4]) | @base64d | fromjson |
        .[$key] // empty' <<<"${!2:-}" 2>/dev/null || :
}

# granted_at TIME: a grant was made then; granted is the time of the newest in this run, in seconds.
granted=''
granted_at() {
    local at
    at=$(jq -nr --arg at "$1" '$at | sub("\\.[0-9]+"; "") | sub("\\+00:00$"; "Z") | fromdateiso8601' 2>/dev/null) || at=$(clock)
    [ -n "$granted" ] && [ "$granted" -gt "$at" ] || granted=$at
}
# not_yet SECONDS: what is left of them since the newest grant of this run; all of them when the grants were made in another.
not_yet() {
    local left=$1
    [ -z "$granted" ] || left=$((granted + $1 - $(clock)))
    echo $((left < 0 ? 0 : left > $1 ? $1 : left))
}
