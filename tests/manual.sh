#!/bin/sh
# Completion and manual page: manual.sh BINARY. What is written from the command line's tables must be read by the shells and by
# roff without a word, and must offer what the tables hold.
here=$(cd "$(dirname "$0")" && pwd) || exit 1
binary=$(realpath "${1:?manual.sh BINARY}") || exit 1
. "$here/checks.sh"
checks_begin manual
cd "$dir" || exit 1
mkdir there
touch there/estate.yaml there/other.yaml

# --- bash -----------------------------------------------------------------------------------------------------------------

"$binary" completion bash >reinstate.bash || no "completion bash"
# offers WHAT EXPECTED WORD...: what bash completes the last word to
offers() {
    what=$1 expected=$2
    shift 2
    # shellcheck disable=SC2016 # the inner shell expands
    got=$(bash -c '. ./reinstate.bash || exit 1
        COMP_WORDS=(reinstate "$@") COMP_CWORD=$#
        _reinstate
        printf "%s " "${COMPREPLY[@]}"' bash "$@" 2>&1)
    if [ "$got" = "$expected " ]; then ok "bash: $what"; else echo "$got" >got; no "bash: $what" got; fi
}
offers "a command" "plan" pl
offers "commands that begin alike" "validate version" v
offers "an option of the command" "--detailed-exitcode" plan --det
offers "no option of another command" "" validate --det
offers "words of a value" "powershell" runbook --shell po
offers "words of a value, by letter" "json" plan -o j
offers "files" "there/estate.yaml there/other.yaml" plan -f there/
offers "the command though options are before it" "--detailed-exitcode" -f there/estate.yaml plan --det
offers "nothing where nobody can know" "" plan -l a

# Every command of the usage is offered, and takes every option that is offered for it.
for command in $("$binary" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p'); do
    if grep -q "^    $command) words=" reinstate.bash; then ok "bash knows $command"; else no "bash knows $command"; fi
    "$binary" "$command" --help >usage || no "$command --help" usage
    for option in $(sed -n "s/^    $command) words=\"\(.*\)\" ;;/\1/p" reinstate.bash); do
        grep -qE -- "(^|[ ,])$option( |$)" usage || no "$command has no $option" usage
    done
done

# --- the others -----------------------------------------------------------------------------------------------------------

# parses SHELL WHAT COMMAND...: an interpreter that is not there is named
parses() {
    tool=$1 what=$2
    shift 2
    if ! command -v "$tool" >/dev/null; then
        echo "skipped: manual: $what: there is no $tool"
        [ -z "${CI:-}" ] || no "$what: $tool is missing"
        return
    fi
    "$@" >parsed 2>&1 && [ ! -s parsed ]
    # shellcheck disable=SC2181 # of both
    if [ $? = 0 ]; then ok "$what"; else no "$what" parsed; fi
}
"$binary" completion zsh >_reinstate || no "completion zsh"
parses zsh "zsh reads its completion" zsh -n _reinstate
# shellcheck disable=SC2016 # zsh expands
parses zsh "zsh takes it as a completion" zsh -fc 'autoload -U compinit; compinit -D -u; . ./_reinstate; [ "$_comps[reinstate]" = _reinstate ]'
"$binary" completion fish >reinstate.fish || no "completion fish"
parses fish "fish reads its completion" fish -n reinstate.fish
fish_offers() {
    fish -c '. ./reinstate.fish; complete -C "reinstate runbook --shell c"' | cut -f 1 | sort | tr '\n' ' ' | grep -qx 'cli curl '
}
parses fish "fish offers the words of a value" fish_offers
"$binary" man >reinstate.1 || no "man"
parses groff "roff reads the manual page" groff -man -ww -z reinstate.1
for option in $(sed -n 's/^    [a-z]*) words="\(.*\)" ;;/\1/p' reinstate.bash | tr ' ' '\n' | sort -u); do
    grep -qF -- "$(printf '%s' "$option" | sed 's/-/\\-/g')" reinstate.1 || no "the manual page has no $option"
done
if "$binary" completion tcsh >out 2>err; then no "an unknown shell is refused"; else expect "an unknown shell is refused in words" grep -q "bash, zsh or fish" err; fi
checks_end
