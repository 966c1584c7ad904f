#!/bin/sh
# Writes a C table of the files given: name and bytes (NUL-terminated). Used by the Makefile to embed schemas/.
set -eu
echo '#include "schema.h"'
echo 'const struct schema_file schema_files[] = {'
for f in "$@"; do
    printf '    {"%s", (const char[]){' "$(basename "$f")"
    od -An -v -tx1 "$f" | sed 's/ \([0-9a-f][0-9a-f]\)/(char)0x\1,/g' | tr -d '\n'
    printf '0}, %s},\n' "$(wc -c <"$f" | tr -d ' ')"
done
echo '    {0, 0, 0},'
echo '};'
