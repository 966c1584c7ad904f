#!/bin/sh
# One bad answer is one bad answer: sight.sh BINARY. Every read of the estate payroll gets every bad answer in turn. The command
# must go on, the estate ledger beside it must be judged as without the fault, and nothing may look better than it did.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?sight.sh BINARY}") || exit 1
. "$here/checks.sh"
checks_begin sight
cd "$dir" || exit 1

# NAME and what happens instead of the answer.
cat >faults <<'EOF'
not-allowed {status: 403, code: AuthorizationFailed, message: not you}
other-tenant {status: 401, code: InvalidAuthenticationTokenTenant, message: the token is from the wrong issuer}
unregistered {status: 409, code: MissingSubscriptionRegistration, message: the subscription is not registered}
no-subscription {status: 404, code: SubscriptionNotFound, message: the subscription could not be found}
wrong-address {status: 400, code: InvalidResourceId, message: the id is wrong}
down {status: 503, code: ServiceUnavailable, message: try later}
page-of-a-proxy {status: 200, body: "<html>sign in</html>"}
empty-object {status: 200, body: "{}"}
bare-list {status: 200, body: "[]"}
something-else {status: 200, body: "{\"id\": \"/subscriptions/0f0f0f0f-0000-4000-8000-000000000002/x/y\", \"key\": {\"kid\": \"https://x/keys/y/z\"}, \"value\": 1}"}
an-error-all-the-same {status: 200, body: "{\"error\": {\"code\": \"InternalServerError\"}}"}
items-that-are-none {status: 200, body: "{\"value\": [{}, null, 7, \"x\"]}"}
no-body {status: 204, body: ""}
reset {reset: before}
other-host {status: 302, headers: {Location: "https://evil.example/"}}
EOF

# What is judged, without words and times.
judged() {
    jq -c --arg who "$1" '[(.steps // .findings // .forecasts // [])[] | select((.id // .virtualMachine) | contains($who)) |
        {id: (.id // .virtualMachine), action, scenario, verdict, restorable, unseen}]' json
}

# What would be written to the estate.
writes() {
    jq -c '[(.steps // [])[] | select(.action | IN("none", "blocked", "verify", "wait") | not) | .id]' json
}

look() {
    timeout 600 "$binary" "$1" -f "$here/sight/estate.yaml" --world "$2" -o json >json 2>stderr </dev/null
}

# --- without a fault ------------------------------------------------------------------------------------------------------

for command in plan drift forecast; do
    timeout 600 "$binary" "$command" -f "$here/sight/estate.yaml" --world "$here/sight/world.yaml" --record record -o json >json 2>stderr
    judged ledger >"base-$command"
    writes >"writes-$command"
    expect "$command judges both estates" test "$(judged payroll | jq length)" -gt 0 -a "$(jq length "base-$command")" -gt 0
done
jq -r 'select(.method == "GET") | .uri | split("?")[0] | sub("^https://"; "")' record | grep payroll | sort -u >reads
expect "the estate is read in many places" test "$(wc -l <reads)" -ge 15

# --- every read, every fault ------------------------------------------------------------------------------------------------

{
    cat "$here/sight/world.yaml"
    echo "  faults:"
} >world-head
while read -r fault what; do
    wrong= runs=0
    while read -r read; do
        host=${read%%/*} path=/${read#*/}
        { cat world-head && printf '    - {on: {method: GET, host: "%s", path: "%s"}, every: true, do: %s}\n' "$host" "$path" "$what"; } >world
        for command in plan forecast; do
            look "$command" world
            code=$?
            runs=$((runs + 1))
            case $code in 0 | 2 | 3) ;; *) wrong="$wrong $command $read: exit $code;" ;; esac
            judged ledger | cmp -s - "base-$command" || wrong="$wrong $command $read: ledger is judged otherwise;"
            judged payroll | grep -q '"verdict":"green"' && wrong="$wrong $command $read: payroll looks well;"
            [ "$(writes)" = "$(cat "writes-$command")" ] || wrong="$wrong $command $read: other writes are planned: $(writes);"
        done
    done <reads
    if [ -z "$wrong" ] && [ "$runs" -gt 0 ]; then ok "$fault at each of $((runs / 2)) reads"; else no "$fault:$wrong"; fi
done <faults

checks_end
