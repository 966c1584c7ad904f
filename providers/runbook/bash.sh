# shellcheck shell=bash
# A trace would show tokens and keys, and a variable of the environment is read by every program that is started.
set +x -euo pipefail
umask 077
unset account_key
account='' account_key='' keyed=''
from=${1:-1}
work=$(mktemp -d)
: >"$work/head"
trap 'find "$work" -type f -exec shred -u {} + 2>/dev/null || :; rm -rf "$work"' EXIT

# plain: lines without what a terminal or a build log would obey. Names and texts come from Azure and from manifests.
plain() { jq -Rr '"  | " + gsub("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]"; "?") | gsub("##"; "# #")' >&2; }
say() { jq -nr --arg text "$*" '$text | gsub("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]"; "?") | gsub("##"; "# #") | sub("^ *::"; ": :")' >&2; }
# stop WHY: the claim of what was not triggered says so, for other runs.
stop() {
    say "STOP: $*"
    [ -z "${untriggered:-}" ] || { untriggered='' && note_claim ended "not triggered: $*"; }
    exit 1
}
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

# account_of URL: the storage account that this host is of.
account_of() { local host=${1#https://}; printf '%s\n' "${host%%.*}"; }
# sha256 of what comes in, its bytes as hexadecimal digits; bytes: the way back.
sha256() { sha256sum | cut -c 1-64; }
bytes() { printf '%b' "$(sed 's/../\\x&/g')"; }
# hmac: HMAC-SHA256 of what comes in, by the account's key, in base64. Only builtins of this shell see the key: it stands in no
# command line and in no file.
hmac() {
    local hex inner='' outer='' byte i
    hex=$(printf %s "$account_key" | base64 -d | od -An -v -tx1 | tr -d ' \n')
    [ "${#hex}" -le 128 ] || return 1
    while [ "${#hex}" -lt 128 ]; do
        hex+=00
    done
    for ((i = 0; i < 128; i += 2)); do
        printf -v byte '\\x%02x' $((16#${hex:i:2} ^ 0x36)) && inner+=$byte
        printf -v byte '\\x%02x' $((16#${hex:i:2} ^ 0x5c)) && outer+=$byte
    done
    { printf '%b' "$outer"; { printf '%b' "$inner"; cat; } | sha256 | bytes; } | sha256 | bytes | base64 -w 0
}
# shared_key DATE METHOD URL BODY HEADER...: the headers by which the account's key signs a request to its blobs.
shared_key() {
    local LC_ALL=C at=$1 method=$2 url=$3 body=$4 one type='' length='' match='' none='' ms query=''
    ms=("x-ms-date:$at")
    [ "$body" = - ] || { type=application/json length=${#body}; }
    [ "$length" != 0 ] || length=
    for one in "${@:5}"; do
        case ${one,,} in
        x-ms-*) ms+=("${one%%:*}:${one#*: }") ;;
        if-match:*) match=${one#*: } ;;
        if-none-match:*) none=${one#*: } ;;
        esac
    done
    one=/${url#https://*/}
    [ "$one" = "${one%%\?*}" ] || query=$(tr '&' '\n' <<<"${one#*\?}" | sort)
    query=${query//%/\\x}
    printf 'x-ms-date: %s\nAuthorization: SharedKey %s:%s\n' "$at" "$keyed" "$(
        {
            printf '%s\n' "$method" '' '' "$length" '' "$type" '' '' "$match" "$none" '' ''
            printf '%s\n' "${ms[@]}" | sort
            printf '/%s%s' "$keyed" "${one%%\?*}"
            [ -z "$query" ] || printf '\n%b' "${query//=/:}"
        } | hmac
    )"
}
# authorize AUDIENCE DATE METHOD URL BODY HEADER...: by token, or by the account's key where the account has refused the token.
authorize() {
    local name=REINSTATE_TOKEN_$1
    if [ "$1" = STORAGE ] && [ -n "$account_key" ] && [ "$(account_of "$4")" = "$keyed" ]; then
        shared_key "${@:2}"
    else
        printf 'Authorization: Bearer %s\n' "${!name:-}"
    fi
}
# key_instead URL: the staging account has refused the token, and its key was had instead. Once for an account; it is kept in this
# shell's memory alone, and signs. What its network refuses, it refuses by key too.
key_instead() {
    local name
    name=$(account_of "$1")
    [ "$(status)" = 403 ] && [ "$(blob_code)" != AuthorizationFailure ] || return 1
    [ "$name" = "${account##*/}" ] || return 1
    if [ "$keyed" = "$name" ]; then
        account_key=''
        return 1
    fi
    keyed=$name account_key=$(first_key "$account") || account_key=''
    [ -n "$account_key" ] || return 1
    say "storage account $name refuses the token: trying the account's key"
}
# blob_code: what the blob service calls its refusal. An answer without a body has it in its head.
blob_code() {
    local code
    code=$(header x-ms-error-code)
    [ -n "$code" ] || code=$(sed -n 's/.*<Code>\([A-Za-z]*\)<.*/\1/p' "$work/body" | head -n 1)
    printf '%s\n' "$code"
}

# by_curl AUDIENCE METHOD URL BODY HEADER...: one request, as it is asked once; see ask.
by_curl() {
    local method=$2 url=$3 body=$4 more=() one at=''
    [ "$body" = - ] || more=(-H 'Content-Type: application/json' --data-binary "$body")
    [ "$method" != HEAD ] || more+=(--head)
    for one in "${@:5}"; do
        more+=(-H "$one")
    done
    [ -z "$account_key" ] || at=$(http_date)
    : >"$work/head"
    : >"$work/body"
    curl -q -gsS --proto =https --path-as-is --fail-with-body -X "$method" -D "$work/head" -o "$work/body" \
        -H @<(authorize "$1" "$at" "$method" "$url" "$body" "${@:5}") "${more[@]}" "$url" 2>"$work/error" &&
        [[ $(status) = 2?? ]]
}
# patient AUDIENCE METHOD URL BODY HEADER...: one request. What only reads is asked again while Azure is too busy, or does not answer:
# not sooner than it wants, for a quarter of an hour at most, and each wait is told.
patient() {
    local tries=0 wait state waited=0
    while ! send "$@"; do
        [ "$2" = GET ] || [ "$2" = HEAD ] || return 1
        tries=$((tries + 1))
        case $(status) in
        408 | 429 | 500 | 502 | 503 | 504) ;;
        '') [ "$tries" -le 5 ] || return 1 ;;
        *) return 1 ;;
        esac
        wait=$(header retry-after)
        if [[ $wait =~ ^[0-9]{1,6}$ ]]; then wait=$((10#$wait > 0 ? 10#$wait : 1)); else wait=$((tries < 6 ? 2 ** tries : 60)); fi
        state=$(status)
        if [ $((waited + wait)) -gt 900 ]; then
            # No wait of our own choice is longer than a minute.
            [ "$wait" -le 60 ] || say "  ${3%%\?*}: ${state:-no answer}; it answers again from $(jq -nr "$(clock) + $wait | todate"): run this step then"
            return 1
        fi
        say "  ${3%%\?*}: ${state:-no answer}; asked again in $wait s"
        wait_for 'Azure to answer' "$wait"
    done
}
# ask AUDIENCE METHOD URL [BODY [HEADER...]]: one request; its head and body are left in $work. BODY: - for none, @- for a pipe.
ask() {
    local url=$3 body=${4:--}
    patient "$1" "$2" "$url" "$body" "${@:5}" && return
    # A token that has ended is renewed once; what came through a pipe is gone, and cannot be sent again.
    if [ "$(status)" = 401 ] && [ "$body" != @- ] && [ -z "${renewed:-}" ] && sign_in; then
        renewed=yes ask "$@"
        return
    fi
    if [ "$1" = STORAGE ] && [ "$body" != @- ] && key_instead "$url"; then
        ask "$@"
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
azure_clock() { header date | jq -Rr 'strptime("%a, %d %b %Y %H:%M:%S GMT") | mktime' 2>/dev/null; }
clock() { azure_clock || date +%s; }
http_date() { jq -nr "$(clock) | strftime(\"%a, %d %b %Y %H:%M:%S GMT\")"; }

# absent: the last answer is the service's own word that there is no such thing. A status alone may be that of a gateway before it.
absent() {
    [ "$(status)" = 404 ] || return 1
    case $(jq -r '.error.code // .code // ""' "$work/body" 2>/dev/null) in
    ResourceNotFound | ResourceGroupNotFound | ParentResourceNotFound | NotFound | BMSUserErrorObjectNotFound) ;;
    VaultNotFound | MHSMNotFound | KeyNotFound) ;;
    *) return 1 ;;
    esac
}

# holds WANTED: what was just read bears all that would be written. Names are compared without case, and a place without blanks.
holds() {
    jq -e --argjson wanted "$1" 'def fold: ascii_downcase | gsub(" "; "");
        def holds($w): . as $have |
            if ($w | type) == "object" then type == "object" and (with_entries(.key |= fold) as $of |
                all($w | to_entries[]; . as $one | $one.key == "createMode" or ($of[$one.key | fold] | holds($one.value))))
            elif ($w | type) == "array" then all($w[]; . as $one | any($have[]?; holds($one)))
            elif ($w | type) == "string" then type == "string" and fold == ($w | fold)
            else . == $w or (($w // false) == false and (. // false) == false) end;
        holds($wanted)' "$work/body" >/dev/null
}
# due URL WANTED [WAS]: whether a write of Resource Manager is due. False: it is there as declared. What is there otherwise, and is not
# what the plan saw and changes (WAS), is somebody's work, and stops it.
due() {
    if ! ask ARM GET "$1"; then
        [ -z "${3:-}" ] && absent && return
        stop "whether it is there cannot be seen: ${1%%\?*}: $(status); nothing was written"
    fi
    if holds "$2"; then
        say 'it is there already, as declared: nothing is written'
        return 1
    fi
    [ -n "${3:-}" ] && holds "$3" && return
    jq -c '{id, location, tags, identity, properties}' "$work/body" | plain
    stop 'it is there, and neither as declared nor as it was when this runbook was made (see above): nothing was written. Look who changed it; then make a new runbook, which asks for the approval that its change needs'
}

# follow: what the last call began, to its end. False: it failed, or cannot be followed.
follow() {
    local url wait state misses=0
    waited=0
    url=$(header azure-asyncoperation)
    while [ -n "$url" ]; do
        at_arm "$url"
        pause_told 'the operation'
        if ! ask ARM GET "$url"; then
            # An operation that has just begun may not be known everywhere.
            misses=$((misses + 1))
            [ "$(status)" = 404 ] && [ "$misses" -le 5 ] && continue
            call ARM GET "$url" || return 1
        fi
        state=$(answer '.status // "Succeeded"') || return 1
        case ${state,,} in
        succeeded) return 0 ;;
        failed | canceled | cancelled)
            say "the operation ended $state"
            jq -c . "$work/body" | plain
            return 1
            ;;
        esac
    done
    url=$(header location)
    while [ "$(status)" = 202 ] && [ -n "$url" ]; do
        at_arm "$url"
        pause_told 'the operation'
        call ARM GET "$url" || return 1
    done
}
# pause_told WHAT: as long as the last answer says, in seconds; not shorter than Azure wants it, nor so long that nothing is seen.
pause_told() {
    local wait
    wait=$(header retry-after)
    [[ $wait =~ ^[0-9]{1,3}$ ]] || wait=30
    wait=$((10#$wait))
    wait_for "$1" $((wait < 5 ? 5 : wait > 300 ? 300 : wait))
}

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
