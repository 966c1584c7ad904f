#!/bin/sh
# Runbooks: runbook.sh BINARY [--update]. Those of the examples, byte for byte, in every shell; the shells' own judgement of their
# syntax; and the proof: the runbook for curl, run against the simulated Azure over HTTPS by bash alone, leaves nothing to do.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?runbook.sh BINARY}") || exit 1
update=${2:-}
golden=$here/golden/runbooks
. "$here/checks.sh"
. "$here/carried.sh"
checks_begin runbook
cd "$dir" || exit 1

# The plan's digest changes with every word of it, and commands name the manifests where they lie.
without_digest() {
    sed -e 's/^\(# Runbook ([^)]*) of plan \)[0-9a-f]\{12\}/\1DIGEST/' -e 's/T03:00:0[0-9]\.[0-9]*Z/T03:00:0S.MSZ/g' -e "s|$here/../||g" "$1"
}

# --- as text ---------------------------------------------------------------------------------------------------------------------

is_whole() {
    jq -e '.script and (.entries | length > 0)' "$1" >/dev/null
}

# write NAME SHELL OPTION...: the runbook of a world, compared with what it was.
write() {
    file=$1.$2 as=$2
    shift 2
    if ! "$binary" runbook --shell "$as" "$@" >"$file" 2>stderr; then
        no "$file: a runbook is written" stderr
        return
    fi
    without_digest "$file" >now
    [ "$update" = --update ] && cp now "$golden/$file"
    if cmp -s now "$golden/$file"; then
        ok "$file is as it was"
    else
        diff "$golden/$file" now >differs
        no "$file is another (runbook.sh BINARY --update writes it, for review)" differs
    fi
}

# Where they stand: what the frame around them sets (SC2154), and jq's programs, in which nothing is to expand (SC2016).
if command -v shellcheck >/dev/null; then
    for script in "$here"/../providers/runbook/*.sh; do
        expect "shellcheck finds nothing wrong with $(basename "$script")" shellcheck -s bash -e SC2154,SC2034,SC2016,SC2015 "$script"
    done
else
    echo "skipped: shellcheck (it is not there)"
fi

for folder in "$here"/../examples/*/; do
    example=${folder%/} name=$(basename "$folder")
    [ -f "$example/world.yaml" ] || continue
    set -- -f "$example/estate.yaml"
    for part in activation policy; do
        [ -f "$example/$part.yaml" ] && set -- "$@" -f "$example/$part.yaml"
    done
    for shell in powershell cli curl; do
        write "$name" "$shell" "$@" --world "$example/world.yaml"
    done
    write "$name-unordered" powershell -f "$example/estate.yaml" --world "$example/world.yaml"
    for shell in cli curl; do
        expect "$name: bash reads the runbook for $shell" bash -n "$name.$shell"
        if command -v shellcheck >/dev/null; then
            expect "$name: shellcheck finds nothing wrong with it" shellcheck -s bash -S warning -e SC2034 "$name.$shell"
        fi
    done
    if command -v pwsh >/dev/null; then
        expect "$name: PowerShell reads its runbook" pwsh -NoProfile -Command \
            "\$errors = \$null; [void][Management.Automation.Language.Parser]::ParseFile('$name.powershell', [ref]\$null, [ref]\$errors); exit \$errors.Count"
    else
        echo "skipped: PowerShell's own parser (pwsh is not there)"
    fi
    "$binary" runbook -o json "$@" --world "$example/world.yaml" >json 2>stderr
    expect "$name: -o json is one object with its script" is_whole json
done

# --- carried out -----------------------------------------------------------------------------------------------------------------

# carried_out NAME RESTORES: run by bash alone, nothing differs afterwards.
carried_out() {
    begin "$1" "$here/../examples/$1/world.yaml" || return
    run
    expect "$1: bash carries it out: exit $code" [ "$code" = 0 ]
    expect "$1: by $2 restores" [ "$(restores)" = "$2" ]
    "$binary" drift -f estate --cloud cloud.yaml >drift 2>stderr
    code=$?
    # Or, where an example says so, what a person has to do is all that is left.
    end=$here/../examples/$1/expected-end.txt
    if [ -f "$end" ]; then
        expect "$1: afterwards a person's act is left: exit $code" [ "$code" = 2 ]
        expect "$1: and nothing else" [ "$(grep -cF -f "$end" drift)" = 1 ]
    else
        expect "$1: afterwards drift finds nothing: exit $code" [ "$code" = 0 ]
    fi
    run
    expect "$1: run again it ends well: exit $code" [ "$code" = 0 ]
    expect "$1: and triggers nothing" [ "$(restores)" = "$2" ]
    sim_stop
}

sign_in sim-client-secret
carried_out 01-lost-key 2
carried_out 02-deleted-key 0
carried_out 03-lost-hsm-key 2

example=$here/../examples/01-lost-key
# The answer to the trigger of the pass is lost: its job is looked for and adopted, and the claim, of the tool's kind, names it.
world_with "{on: {method: POST, path: /restore}, do: {reset: after}}"
sed 's/role: Storage Blob Data Reader/role: Storage Blob Data Contributor/' world.yaml >lost.yaml
if begin 01-lost-key "$dir/lost.yaml"; then
    run
    expect "a lost answer is lived with: exit $code" [ "$code" = 0 ]
    says "the answer to the trigger was lost"
    expect "and nothing is triggered a second time" [ "$(restores)" = 2 ]
    expect "both triggers were claimed first" [ "$(count 'claim [0-9a-f]{40}-0 taken' stderr)" = 2 ]
    sim_stop
fi

checks_end
