#!/bin/sh
# The first ten minutes with the command line: first.sh BINARY. What the help promises is taken, folders and the environment stand for
# options, and what is told beside the answer is as much as was asked for.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?first.sh BINARY}") || exit 1
example=$here/../examples/01-lost-key
. "$here/checks.sh"
checks_begin first
cd "$dir" || exit 1
mkdir estate
cp "$example/estate.yaml" "$example/policy.yaml" "$example/world.yaml" estate

# run EXIT COMMAND...: that code; stdout and stderr are kept.
run() {
    want=$1
    shift
    "$@" >stdout 2>stderr </dev/null
    code=$?
    if [ "$code" = "$want" ]; then ok "exit $code: $(echo "$*" | sed "s|$binary|reinstate|" | cut -c 1-100)"; else no "exit $code, not $want: $*" stdout stderr; fi
}
says() {
    if grep -qF -- "$2" "$1"; then ok "it says: $2"; else no "it does not say: $2" "$1"; fi
}
silent() {
    if grep -qF -- "$2" "$1"; then no "it says: $2" "$1"; else ok "it does not say: $2"; fi
}

# --- where the manifests are --------------------------------------------------------------------------------------------------

run 0 "$binary" validate -C estate -f estate.yaml -f policy.yaml
says stdout "valid: 9 documents"
run 1 "$binary" validate -C nowhere -f estate.yaml
says stderr "-C nowhere: No such file or directory"
run 0 env REINSTATE_FILE=estate.yaml:policy.yaml "$binary" plan -C estate --world world.yaml
says stdout "reinstate activate -C estate -f estate.yaml -f policy.yaml --world world.yaml payroll-01-dr"
run 0 env REINSTATE_FILE=nowhere.yaml "$binary" validate -f estate/estate.yaml
says stdout "valid: 8 documents"
run 1 env -u REINSTATE_FILE "$binary" validate
says stderr "or set REINSTATE_FILE"
# Who exports has no manifests yet: those of the environment would be taken for declared.
run 1 env REINSTATE_FILE=estate/estate.yaml "$binary" export
says stderr "which vault?"

# --- how much is said ---------------------------------------------------------------------------------------------------------

run 0 "$binary" plan -f estate/estate.yaml --world estate/world.yaml
silent stderr "GET "
run 0 "$binary" plan -f estate/estate.yaml --world estate/world.yaml -v
says stderr "GET management.azure.com/subscriptions/"
silent stderr "?"
silent stderr "api-version"
run 0 "$binary" plan -f estate/estate.yaml --world estate/world.yaml --debug
says stderr '{"method":"GET","uri":"https://management.azure.com/subscriptions/'
says stderr recorded.without-the.token
silent stderr sim-client-secret
run 0 "$binary" apply -f estate/estate.yaml -f "$example/activation.yaml" --world estate/world.yaml --auto-approve --journal none
says stderr "  starts"
run 0 "$binary" apply -f estate/estate.yaml -f "$example/activation.yaml" --world estate/world.yaml --auto-approve --journal none --quiet
silent stderr "  starts"
says stdout "Everything is as declared."
run 1 "$binary" plan -f estate/estate.yaml --world estate/world.yaml -q -v
says stderr "--quiet and --verbose contradict each other"

# --- what is explained --------------------------------------------------------------------------------------------------------

"$binary" explain -o json >kinds.json
kinds=$(sed -n 's/^ *"name": "\(.*\)",*$/\1/p' kinds.json)
for kind in $kinds; do
    "$binary" explain "$kind" >"$kind.txt" 2>stderr || no "explain $kind" stderr
    says "$kind.txt" "required"
    { echo ---; sed '1,/^Example:/d' "$kind.txt"; } >"$kind.yaml"
    [ "$kind" = World ] || cat "$kind.yaml" >>examples.yaml
done
run 0 "$binary" validate -f examples.yaml
says stdout "valid: 14 documents"
if [ -s stderr ]; then no "the examples of all kinds are one estate, without a warning" stderr; else ok "the examples of all kinds are one estate"; fi
run 1 "$binary" plan -f examples.yaml --world World.yaml
silent stderr World.yaml
run 0 "$binary" explain RestoredVirtualMachine
says stdout "spec.restore                       word             [new-vm | disks | replace, default new-vm]"
says stdout "spec.target                        object           [required]"
silent stdout "spec.target.name"
says stdout "15 more stand below these: --recursive shows them."
run 0 "$binary" explain RestoredVirtualMachine --recursive
says stdout "  spec.target.name                   string           [required]"
run 0 "$binary" explain Key -R
silent stdout "spec.sources.recover               object           [required]"
run 0 "$binary" explain actions
says stdout "  restore-vm   triggers a restore"
run 0 "$binary" explain Key -o json
says stdout '"required": true'
says stdout '"example": {'

checks_end
