#!/bin/sh
# Runbooks on trial: runbook-trials.sh BINARY. The form for curl with just the rights that its head lists, and without one of them; tool and
# runbook beside each other, which trigger once between them; answers that lead elsewhere, and texts that would be obeyed.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?runbook-trials.sh BINARY}") || exit 1
. "$here/checks.sh"
. "$here/carried.sh"
checks_begin runbook-trials
cd "$dir" || exit 1

# --- the rights that the head lists ----------------------------------------------------------------------------------------------

# listed TITLE: "ROLE on SCOPE", one a line, of the head's list with this title.
listed() {
    sed -n "/^# $1/,/^#\$/p" run.sh | sed -e 1d -e 's/^# *//' | awk '/^\// { print held " " $0; next } / on \// { print } { held = $0 }'
}

# runner ROLES WORLD: the quick world, with somebody else who holds these roles and no other.
runner() {
    sed 's/\(.*\) on \(.*\)/    - {principal: runner, role: \1, scope: \2}/' "$1" >assignments
    quick "$2" -e '/^  roleAssignments:/r assignments' -e "/^  principals:/a\\
    - {name: runner, objectId: 0f0f0f0f-0000-4000-8000-00000000000e, appId: 0f0f0f0f-0000-4000-8000-0000000000ee, secret: runner-secret}"
}

# as_runner ROLES: the operator writes the runbook, the other one runs it.
as_runner() {
    runner "$1" rights.yaml
    sign_in sim-client-secret
    begin 01-lost-key "$dir/rights.yaml" || return 1
    AZURE_CLIENT_ID=0f0f0f0f-0000-4000-8000-0000000000ee AZURE_CLIENT_SECRET=runner-secret
    run
    sign_in sim-client-secret
}

# The head of a step, up to the next one.
step_head() {
    sed -n "/^# ---- $1\\. /,/^if /p" run.sh
}

"$binary" runbook --shell curl -f "$here/../examples/01-lost-key/estate.yaml" -f "$here/../examples/01-lost-key/activation.yaml" \
    -f "$here/../examples/01-lost-key/policy.yaml" --world "$here/../examples/01-lost-key/world.yaml" >run.sh 2>stderr
listed 'Who does this needs' >least
listed 'For the claim' >claim
expect "the head lists five roles, and one for the claim" [ "$(count . least) $(count . claim)" = "5 1" ]

if as_runner least; then
    expect "who holds just those gets through: exit $code" [ "$code" = 0 ]
    expect "by two restores" [ "$(restores)" = 2 ]
    expect "without the claim's role there is no claim" [ "$(count 'takes no claim \(403' stderr)" = 2 ]
    sim_stop
fi

missing=0
while [ "$missing" -lt "$(count . least)" ]; do
    missing=$((missing + 1))
    role=$(sed -n "${missing}s/ on .*//p" least)
    sed "${missing}d" least >without
    as_runner without || continue
    expect "without $role it stops: exit $code" [ "$code" = 1 ]
    at=$(sed -n 's/^\([0-9]*\)\. .*/\1/p' stderr | tail -n 1)
    { step_head "${at:-0}"; grep '^STOP' stderr; } >shown
    if grep -qF "$role" shown; then ok "at step $at, which names it"; else no "at step $at, which does not name $role" shown stderr; fi
    sim_stop
done

checks_end
