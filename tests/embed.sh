#!/bin/sh
# embed.sh HEADER STRUCT TABLE FILE...: a C table of the files given, name and bytes (NUL-terminated) and length, of a struct that
# HEADER declares. Used by the Makefile to embed schemas/ and the scripts of providers/runbook/.
set -eu
header=$1 struct=$2 table=$3
shift 3
echo "#include \"$header\""
echo "const struct $struct ${table}[] = {"
for f in "$@"; do
    printf '    {"%s", (const char[]){' "$(basename "$f")"
    od -An -v -tx1 "$f" | sed 's/ \([0-9a-f][0-9a-f]\)/(char)0x\1,/g' | tr -d '\n'
    printf '0}, %s},\n' "$(wc -c <"$f" | tr -d ' ')"
done
echo '    {0, 0, 0},'
echo '};'
