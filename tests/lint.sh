#!/bin/sh
# The rules of the house that a compiler does not know: who may include whom, one library one file, banned functions,
# sizes. Every exception stands in this file, with its reason, and is counted.
#   tests/lint.sh OUT      OUT: the folder of the objects
set -u
out=$(cd "${1:?the folder of the objects}" && pwd) || exit 1
cd "$(dirname "$0")/.." || exit 1

faults=0 exceptions=0
sources=$(find cmd reconciler providers -name '*.[ch]' | sort)
all=$(find cmd reconciler providers tests -path tests/conformance/node_modules -prune -o -name '*.[ch]' -print | sort)

fault() {
    faults=$((faults + 1))
    echo "lint: $*"
}

# Findings come as lines "FILE:LINE: TEXT"; empty input is no finding.
faults_from() {
    while IFS= read -r line; do
        [ -n "$line" ] && fault "$1: $line"
    done <<END
$2
END
}

# --- layers -----------------------------------------------------------------------------------------------------------
# The folder of a file, and the folders it may include. kind.h is a room of its own between the engine and the kinds.

room_of() {
    case $1 in
    reconciler/kind.h) echo kind ;;
    reconciler/base/*) echo base ;;
    reconciler/format/*) echo format ;;
    reconciler/model/*) echo model ;;
    reconciler/run/*) echo run ;;
    reconciler/engine/*) echo engine ;;
    providers/azure/*) echo azure ;;
    providers/documents/*) echo documents ;;
    providers/backup/*) echo backup ;;
    providers/access/*) echo access ;;
    providers/keys/*) echo keys ;;
    providers/discovery/*) echo discovery ;;
    providers/restore/*) echo restore ;;
    providers/kinds/registry.h) echo registry ;;
    providers/kinds/*) echo kinds ;;
    providers/doctor/*) echo doctor ;;
    providers/forecast/*) echo forecast ;;
    providers/runbook/*) echo runbook ;;
    providers/sim/*) echo sim ;;
    cmd/*) echo cmd ;;
    *) echo unknown ;;
    esac
}

# What every room under providers/ but azure and sim may look at.
below="base format model run kind azure"

may_include() {
    case $1 in
    base) echo "base" ;;
    format) echo "base format" ;;
    model) echo "base format model" ;;
    run) echo "base format run" ;;
    kind) echo "base format model run" ;;
    engine) echo "base format model run kind engine" ;;
    azure) echo "base format run azure" ;;
    documents) echo "$below documents" ;;
    backup) echo "$below documents backup" ;;
    access) echo "$below documents access" ;;
    keys) echo "$below documents backup access keys" ;;
    discovery) echo "$below documents backup access discovery" ;;
    restore) echo "$below documents backup access keys discovery restore" ;;
    # The table of kinds is handed to the engine and is declared with the engine's own types.
    registry) echo "engine azure" ;;
    kinds) echo "$below documents backup access keys discovery restore kinds registry" ;;
    doctor) echo "$below documents backup access keys discovery restore doctor" ;;
    forecast) echo "$below documents backup access keys discovery restore kinds forecast" ;;
    runbook) echo "$below documents backup access keys discovery restore kinds runbook" ;;
    sim) echo "base format sim" ;;
    cmd) echo "$below engine documents backup access keys discovery restore kinds registry doctor forecast runbook sim cmd" ;;
    esac
}

# FILE INCLUDED: reasons for what the table does not allow.
excepted_include() {
    case "$1 $2" in
    esac
    return 1
}

# "a/b/../c.h" without the dots.
flat() {
    printf '%s\n' "$1" | sed -e ':a' -e 's#[^/.][^/]*/\.\./##' -e 'ta'
}

includes=$(grep -nE '^#include "' $sources | sed 's/^\([^:]*\):\([0-9]*\):#include "\([^"]*\)".*/\1 \2 \3/')
while read -r file line included; do
    [ -n "$file" ] || continue
    target=$(flat "$(dirname "$file")/$included")
    if [ ! -f "$target" ]; then
        fault "$file:$line: includes $included, which is not there"
        continue
    fi
    allowed=$(may_include "$(room_of "$file")")
    case " $allowed " in
    *" $(room_of "$target") "*) continue ;;
    esac
    if excepted_include "$file" "$target"; then
        exceptions=$((exceptions + 1))
    else
        fault "$file:$line: a file of $(room_of "$file") must not include $target"
    fi
done <<END
$includes
END

# --- circles ------------------------------------------------------------------------------------------------------------

faults_from "a circle of files: move the question that both ask into a room below them" "$(sh tests/circles.sh "$out")"

# --- one library, one file -----------------------------------------------------------------------------------------------

# FILE LIBRARY: a test that needs a second, independent user of it.
excepted_library() {
    case "$1 $2" in
    # The wire is tried against a TLS server that is not the simulator.
    "tests/unit/wire_server.h libmicrohttpd") return 0 ;;
    esac
    return 1
}

library() {
    for file in $(grep -lE "^#include <$2" $all); do
        [ "$file" != "$3" ] || continue
        if excepted_library "$file" "$1"; then
            exceptions=$((exceptions + 1))
        else
            fault "$1 belongs to $3 alone: $file"
        fi
    done
}
library libyaml 'yaml\.h' reconciler/format/manifest.c
library OpenSSL 'openssl/' reconciler/format/crypt.c
library PCRE2 'pcre2\.h' reconciler/format/pattern.c
library libcurl 'curl/' reconciler/run/wire_curl.c
library libmicrohttpd 'microhttpd\.h' providers/sim/server.c
library ucontext 'ucontext\.h' reconciler/run/co_internal.h

# Layer 2 is a function: no clock, no files, no environment.
faults_from "the model does no I/O" "$(grep -nE '^#include <(unistd|fcntl|time|sys/|dirent|signal)' reconciler/model/*.[ch])"
faults_from "the model does no I/O" "$(grep -nE '\b(fopen|getenv|time|clock_gettime|fprintf|printf)\(' reconciler/model/*.[ch])"

# The reconciler knows neither Azure's kinds nor what only they do: orders, policies and worlds are its own words. Its
# sentences may say Azure to people, and its comments give examples.
azures=$(grep -l '"x-kind"' schemas/*.json | sed -e 's|.*/||' -e 's|\.json||' | grep -vxE 'Activation|Azure|Policy|World')
azures="$azures $(sed -n 's/^#define \(ACTION_[A-Z_]*\).*/\1/p' providers/documents/actions.h)
    $(sed -n 's/^ *\[ACTION_[A-Z_]*\] = {"\([a-z-]*\)".*/\1/p' providers/documents/actions.c)"
pattern=$(echo $azures | tr ' ' '|')
faults_from "the reconciler is free of Azure: hand it in by a schema or a table, as actions.c and x-implied do" \
    "$(for file in reconciler/*.h reconciler/*/*.[ch]; do
        sed -e 's|/\*.*\*/||' -e 's|/\*.*||' -e '/^ \* /d' "$file" | grep -nE "(^|[^A-Za-z_-])($pattern)([^A-Za-z_-]|\$)|\"Azure\"|Microsoft\." |
            sed "s|^|$file:|"
    done)"

# --- banned ---------------------------------------------------------------------------------------------------------------

faults_from "what people read leaves through cmd/output.c and cmd/progress.c alone: say it with talk or text_say" \
    "$(grep -nE '(^|[^_a-z])(printf|puts|fputs|vfprintf)\(|fprintf\(std' $(ls cmd/*.c | grep -vE 'cmd/(output|progress)\.c') | grep -v 'Type yes to do')"
faults_from "banned" "$(grep -nE '(^|[^A-Za-z0-9_>.])(strcpy|strcat|sprintf|vsprintf|gets|strtok|alloca|rand|srand|system|popen|atoi|atol)\(' $all)"
faults_from "a bare DELETE: there is no code that deletes" "$(grep -nE '"DELETE"|HTTP_DELETE' $(find cmd reconciler providers -path providers/sim -prune -o -name '*.[ch]' -print))"
# Addresses of this machine and of package registries have no business here. Brackets keep this file from finding itself.
everything=$(find . -path ./.git -prune -o -path ./build -prune -o -path ./tests/conformance/node_modules -prune -o -type f -print)
faults_from "an address that does not belong here" "$(grep -nIE '/[w]ork/|/tmp/[b]rief|registry\.[n]pmjs|[p]ypi\.org|proxy\.[g]olang|crates\.[i]o' $everything)"
# Who reads here has the repository and Microsoft's pages: a paper that is in neither tells him nothing.
paper='DE[S]IGN|(domain|wire|engine)[- ][f]acts|(anchors|house|language|judges|version-differences)[.][m]d|(anchors|house) [0-9]'
faults_from "cites a paper that is not here: name Microsoft's page and its date, or a README" \
    "$(grep -nIE "$paper" $everything | cut -c 1-160)"
faults_from "cites an issue: say what it stands for" "$(grep -nE '^cites: .issue ' $(find tests -name '*.yaml'))"
# A reader who follows a link finds the file, and the heading in it. Links to other hosts are not looked at.
papers=$(find . -path ./.git -prune -o -path ./build -prune -o -path ./tests/conformance/node_modules -prune -o -name '*.md' -print | sort)
links=$(for paper in $papers; do
    grep -noE '\]\([^) ]+' "$paper" | sed -e "s|^|$paper |" -e 's|:.*\](| |'
done | grep -vE ' (https?|mailto):')
# The headings of a paper as links name them: small letters, no punctuation, dashes for blanks.
headings_of() {
    sed -n 's/^##* //p' "$1" | tr 'A-Z' 'a-z' | sed -e 's/[^a-z0-9 _-]//g' -e 's/ /-/g'
}
while read -r paper line link; do
    [ -n "$paper" ] || continue
    target=$paper heading=
    case $link in *'#'*) heading=${link#*'#'} ;; esac
    [ -z "${link%%'#'*}" ] || target=$(dirname "$paper")/${link%%'#'*}
    if [ ! -e "$target" ]; then
        fault "$paper:$line: links to $link, which is not there"
    elif [ -n "$heading" ] && ! headings_of "$target" | grep -qxF -- "$heading"; then
        fault "$paper:$line: links to $link, and $target has no such heading"
    fi
done <<END
$links
END

# A file that a comment or a paper names is there: a reader who is sent to one that was renamed gives up.
there=" $(find . -path ./build -prune -o -name '*.[ch]' -print | sed 's|.*/||' | tr '\n' ' ') "
cited=$(grep -noE '(^|[^A-Za-z0-9_.%*-])[a-z][a-z_0-9]*\.[ch]\b' $all $papers /dev/null | sed 's/^\([^:]*:[0-9]*\):[^a-z]*/\1 /')
while read -r place name; do
    case "$there" in
    *" $name "*) continue ;;
    esac
    [ -n "$name" ] && ! sed -n "${place#*:}p" "${place%%:*}" | grep -qE "include *\(?<.*$name" &&
        fault "$place: names $name, which is not there"
done <<END
$cited
END

# The first page is read by people in a hurry: what only some of them need stands in the READMEs of the folders.
size=$(wc -c <README.md)
[ "$size" -le 12288 ] || fault "README.md: $size bytes (12288); move what few need into the README of its folder"

faults_from "unfinished" "$(grep -nE '\b(TO[D]O|FIX[M]E|XX[X])\b' $all)"

# --- form -------------------------------------------------------------------------------------------------------------------

# FILE FUNCTION: why it is longer than 50 lines.
excepted_function() {
    case "$1 $2" in
    esac
    return 1
}

for file in $all; do
    case $(head -c 2 "$file") in
    "/*") ;;
    *) case $file in *.c) fault "$file:1: does not begin with a paragraph that says what it knows and must not know" ;; esac ;;
    esac
    lines=$(wc -l <"$file")
    [ "$lines" -le 500 ] || fault "$file: $lines lines; split it (500)"
done
faults_from "longer than 120 columns" "$(awk 'length($0) > 120 { printf "%s:%d: %d\n", FILENAME, FNR, length($0) }' $all)"
faults_from "trailing blanks or a tab" "$(grep -nE '[[:blank:]]+$|	' $all)"

# judge_functions EXCEPTED LIST BEFORE AFTER: each "FILE:LINE: NAME N" that EXCEPTED lets not pass is a fault.
judge_functions() {
    while read -r place name n; do
        [ -n "$place" ] || continue
        if "$1" "${place%%:*}" "$name"; then
            exceptions=$((exceptions + 1))
        else
            fault "$place $name $3 $n $4"
        fi
    done <<END
$2
END
}

# A function begins with "{" and ends with "}" in the first column; its name is on the last line before that has a "(".
long=$(awk '
    FNR == 1 { inside = 0 }
    /^[A-Za-z_].*\(/ && !/;$/ { name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name) }
    /^\{/ { inside = 1; start = FNR }
    /^\}/ { if (inside && FNR - start > 51) printf "%s:%d: %s %d\n", FILENAME, start, name, FNR - start - 1; inside = 0 }' $all)
judge_functions excepted_function "$long" has "lines (50)"

# FILE FUNCTION: why it takes more than seven arguments. One of a format ("...") is not counted: it is a sentence.
excepted_parameters() {
    case "$1 $2" in
    # What libmicrohttpd calls has the parameters that it gives.
    "providers/sim/server.c handle" | "providers/sim/server.c handle_plain") return 0 ;;
    # Connection, call, arena and error go before each; what else they take is still told one by one.
    providers/azure/*) return 0 ;;
    esac
    return 1
}

many=$(awk '
    FNR == 1 { head = "" }
    /^[A-Za-z_]/ { head = ""; start = FNR }
    /^\{/ && head ~ /\(/ {
        name = head
        sub(/\(.*/, "", name)
        sub(/.*[ *]/, "", name)
        depth = 0
        n = 1
        for (i = 1; i <= length(head); i++) {
            c = substr(head, i, 1)
            depth += (c == "(") - (c == ")")
            n += c == "," && depth == 1
        }
        if (n - (head ~ /\.\.\./) > 7) printf "%s:%d: %s %d\n", FILENAME, start, name, n
        head = ""
    }
    { head = head $0 }' $sources)
judge_functions excepted_parameters "$many" takes "arguments (7): what belongs together is one struct, or two could change places"

set -- $all
echo "lint: $# files, $exceptions exceptions, $faults faults"
[ "$faults" = 0 ]
