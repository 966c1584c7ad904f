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

# --- a look at nothing ------------------------------------------------------------------------------------------------------------

# Of a selection, or beside manifests that are not read, it is a slip of the hand, and not "all well".
for command in plan drift apply watch; do
    run 1 "$binary" "$command" -f estate/estate.yaml --world estate/world.yaml --target Azure/prod
    says stderr "no document that Azure could differ from is Azure/prod: nothing would be looked at"
done
run 1 "$binary" forecast -f estate/estate.yaml --world estate/world.yaml --target KeyVault/kv-payroll
says stderr "no ProtectedVirtualMachine is KeyVault/kv-payroll: nothing would be looked at"
run 2 "$binary" forecast -f estate/estate.yaml --world estate/world.yaml -l app=payroll
mkdir -p deep/rest
sed '/^---/,$d' estate/estate.yaml >deep/azure.yaml
run 0 "$binary" drift -f deep --world estate/world.yaml
says stderr "deep: warning: nothing is declared here that Azure could differ from"
cp estate/estate.yaml deep/rest
for command in plan drift forecast apply watch; do
    run 1 "$binary" "$command" -f deep --world estate/world.yaml
    says stderr "deep: nothing is declared here that Azure could differ from; give -R"
done

# --- a folder to begin with -----------------------------------------------------------------------------------------------------

run 0 env -u AZURE_SUBSCRIPTION_ID -u ARM_SUBSCRIPTION_ID "$binary" init empty
says stdout "reinstate validate -f empty"
expect "estate, policy, pipeline and what git ignores" [ "$(find empty -type f | sort | tr '\n' ' ')" = "empty/.github/workflows/reinstate.yml empty/.gitignore empty/estate.yaml empty/policy.yaml " ]
says empty/.gitignore reinstate.journal
says empty/.gitignore "*.plan"
says empty/.gitignore "order*.yaml"
run 0 "$binary" validate -f empty
says stdout "valid: 2 documents"
if [ -s stderr ]; then no "it validates without a word" stderr; else ok "it validates without a word"; fi
run 0 env AZURE_TENANT_ID=0f0f0f0f-0000-4000-8000-000000000001 AZURE_SUBSCRIPTION_ID=0f0f0f0f-0000-4000-8000-000000000002 "$binary" init mine --pipeline azure
says mine/estate.yaml "subscription: 0f0f0f0f-0000-4000-8000-000000000002"
says mine/.azure-pipelines/reinstate.yml "reinstate drift -f ."
run 0 "$binary" plan -f mine --world estate/world.yaml --detailed-exitcode
run 0 "$binary" init found --vault-name rsv-payroll --pipeline none --world estate/world.yaml
run 0 "$binary" validate -f found
says stdout "valid: 4 documents"
# What is written anew is in the form that fmt would give it.
run 0 "$binary" fmt -f found --check
run 0 "$binary" export --vault-name rsv-payroll --out exported --world estate/world.yaml
run 0 "$binary" fmt -f exported --check
run 0 "$binary" plan -f found --world estate/world.yaml --detailed-exitcode
run 2 "$binary" forecast -f found --world estate/world.yaml
run 1 "$binary" init nothing --vault-name rsv-none --world estate/world.yaml
expect "a vault that is not there leaves no folder" [ ! -e nothing ]
# Over nothing that is there, and then nothing beside it either.
mkdir half && echo mine >half/policy.yaml
run 1 "$binary" init half
says stderr "half/policy.yaml is there already; nothing was written"
expect "what was there is as it was" [ "$(cat half/policy.yaml)" = mine ]
expect "and alone" [ "$(find half -type f)" = half/policy.yaml ]
mkdir linked && ln -s nowhere linked/estate.yaml
run 1 "$binary" init linked
says stderr "linked/estate.yaml is there already"
run 1 "$binary" init half/policy.yaml
says stderr "no folder; nothing was written"
run 1 "$binary" init other --pipeline gitlab
says stderr '"gitlab" is neither github nor azure nor none'

# --- one form -----------------------------------------------------------------------------------------------------------------

printf '# Kept: it stands before the first document.\n\nkind: Key\napiVersion: reinstate/v1\nspec: {sources: [{recover: {}}], store: kv, version: "00000000000000000000000000000001"}\nmetadata: {labels: {b: "1", a: d}, name: k}\n---\nmetadata: {name: kv}\nkind: KeyVault\napiVersion: reinstate/v1\nspec: {purgeProtection: true, resourceGroup: rg}\n' >form.yaml
chmod 640 form.yaml
cp form.yaml before.yaml
run 2 "$binary" fmt -f form.yaml --check
says stdout form.yaml
expect "--check writes nothing" cmp -s form.yaml before.yaml
run 0 "$binary" fmt -f form.yaml
cat >wanted.yaml <<'END'
# Kept: it stands before the first document.

apiVersion: reinstate/v1
kind: Key
metadata:
  name: k
  labels:
    b: "1"
    a: d
spec:
  store: kv
  version: "00000000000000000000000000000001"
  sources:
    - recover: {}
---
apiVersion: reinstate/v1
kind: KeyVault
metadata:
  name: kv
spec:
  resourceGroup: rg
  purgeProtection: true
END
if cmp -s form.yaml wanted.yaml; then ok "fields in the order of their schema, a line each"; else no "another form" form.yaml; fi
expect "its mode is kept" [ "$(stat -c %a form.yaml)" = 640 ]
run 0 "$binary" fmt -f form.yaml --check
# Comments stay beside what they speak of, above it or behind it, wherever it goes.
cat >commented.yaml <<'END'
---  # the first
# above all
kind: Key
# about the version of the api
apiVersion: reinstate/v1
spec: {sources: [{recover: {}}], store: kv, # where
  # inside
  version: "00000000000000000000000000000001"}   # the "version"
metadata:
  # of labels
  labels: {b: "x # y", 'a': 'it''s # no'}
  name: k  # its name
# below
---
# between
metadata: {name: kv}
kind: KeyVault # the kind
apiVersion: reinstate/v1
# of the spec
spec:
    # first in spec
    purposes: it's
    purgeProtection: true
    list:
    # of the item
    - b: 1 # one
      # of a
      a: 2
    - x
    # at the end of the list
# at the end
END
cat >wanted.yaml <<'END'
# the first
# above all
# about the version of the api
apiVersion: reinstate/v1
kind: Key
metadata:
  name: k  # its name
  # of labels
  labels:
    b: "x # y"
    a: "it's # no"
spec:  # where
  store: kv
  # inside
  version: "00000000000000000000000000000001"  # the "version"
  sources:
    - recover: {}
# below
---
# between
apiVersion: reinstate/v1
kind: KeyVault  # the kind
metadata:
  name: kv
# of the spec
spec:
  purgeProtection: true
  # first in spec
  purposes: "it's"
  list:
    # of the item
    - b: 1  # one
      # of a
      a: 2
    - x
# at the end of the list
# at the end
END
run 0 "$binary" fmt -f commented.yaml
if cmp -s commented.yaml wanted.yaml; then ok "comments go with their fields"; else no "comments go elsewhere" commented.yaml; fi
run 0 "$binary" fmt -f commented.yaml --check
printf 'kind: KeyVault\napiVersion: reinstate/v1\nmetadata: {name: kv}\nspec:\n  resourceGroup: "a\n    b" # of the last line\n' >commented.yaml
cp commented.yaml kept.yaml
run 0 "$binary" fmt -f commented.yaml
says stderr "commented.yaml is left as it is: line 6 has a comment where no field begins, which would be lost"
expect "and it is" cmp -s commented.yaml kept.yaml
run 2 "$binary" fmt -f commented.yaml --check
printf 'kind: Policy\napiVersion: reinstate/v1\nmetadata: {name: p}\nspec:\n  rules:\n    # r\n    - name: x\n      effect: warn\n      message: |\n        a # b\n' >commented.yaml
run 0 "$binary" fmt -f commented.yaml
says stderr "line 9 has a text of several lines beside comments"
printf 'apiVersion: reinstate/v1\nkind: KeyVault\nmetadata: {name: kv}\nspec: &s {resourceGroup: rg}\n' >aliased.yaml
run 0 "$binary" fmt -f aliased.yaml
says stderr "line 4 has an anchor or an alias"
for number in 0012 1.10 0x1F 1e3 +7 007.5; do
    printf 'apiVersion: reinstate/v1\nkind: KeyVault\nspec: {resourceGroup: rg}\nmetadata: {name: kv, labels: {release: %s}}\n' "$number" >number.yaml
    cp number.yaml kept.yaml
    run 0 "$binary" fmt -f number.yaml
    says stderr "number.yaml is left as it is: line 4 has a number that would be written in another way"
    expect "and it is: $number" cmp -s number.yaml kept.yaml
done
printf 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {mode: 0644}\n---\nkind: KeyVault\napiVersion: reinstate/v1\nmetadata: {name: kv}\nspec: {resourceGroup: rg}\n' >foreign.yaml
cp foreign.yaml kept.yaml
run 0 "$binary" fmt -f foreign.yaml
says stderr "another tool's document"
expect "and it is left to it" cmp -s foreign.yaml kept.yaml
printf 'kind: [\n' >broken.yaml
cp before.yaml form.yaml
run 1 "$binary" fmt -f form.yaml -f broken.yaml
expect "with one that cannot be read none is touched" cmp -s form.yaml before.yaml
run 2 "$binary" fmt -f form.yaml --check -o json
says stdout '"changed": ['
# Whatever is written says what was read.
for manifest in "$here"/../examples/*/*.yaml; do
    cp "$manifest" one.yaml
    "$binary" fmt -f one.yaml >stdout 2>stderr || no "fmt of $manifest" stderr
    [ ! -s stderr ] || no "fmt leaves $manifest" stderr
    [ "$(grep -c '#' one.yaml)" = "$(grep -c '#' "$manifest")" ] || no "fmt loses comments of $manifest" one.yaml
    "$binary" fmt -f one.yaml --check >stdout 2>stderr || no "fmt twice is fmt once: $manifest" stdout stderr
done
ok "the examples have one form"

# --- what helps ---------------------------------------------------------------------------------------------------------------

# A key that a pass has to bring back comes back by nobody's name while the order's pass is held up.
printf 'apiVersion: reinstate/v1\nkind: Policy\nmetadata: {name: two}\nspec:\n  rules:\n    - {name: ask, match: {kind: KeyAccess}, effect: require-approval}\n' >asks.yaml
run 0 "$binary" plan -f estate/estate.yaml -f "$example/activation.yaml" -f asks.yaml --world estate/world.yaml
says stdout "next: approve it: --approve ask=YOUR-NAME"
silent stdout "--approve built-in/restore-key"
# Beside a rule that refuses a step a name given for another rule changes nothing, and is not asked for.
sed 's/kind: KeyAccess/kind: Key/' asks.yaml >key-asks.yaml
deleted=$here/../examples/02-deleted-key
run 0 "$binary" plan -f "$deleted/estate.yaml" -f key-asks.yaml --world "$deleted/world.yaml"
says stdout "approve with --approve ask=YOUR-NAME"
sed '$a\    - {name: never, match: {kind: Key}, effect: deny}' key-asks.yaml >never.yaml
run 0 "$binary" plan -f "$deleted/estate.yaml" -f never.yaml --world "$deleted/world.yaml"
says stdout "rule never"
silent stdout "--approve ask"
run 3 "$binary" apply -f "$deleted/estate.yaml" -f never.yaml --world "$deleted/world.yaml" --auto-approve --journal none
silent stdout "--approve"

# --- forms of an answer -------------------------------------------------------------------------------------------------------

run 1 "$binary" plan -f estate/estate.yaml -o yaml
says stderr "-o yaml: plan answers in one of text|json"
run 1 "$binary" doctor -f estate/estate.yaml -o yaml
says stderr "-o yaml: doctor answers in one of text|json|markdown"

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
