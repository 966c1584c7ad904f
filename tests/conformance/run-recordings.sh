#!/bin/sh
# Recorded exchanges with Azure through our client: run-recordings.sh REPLAY [-v]
# REPLAY is the program made of tests/conformance/replay.c. Any folder of such files will do: AZURE_RECORDINGS=DIR.
set -u
here=$(cd "$(dirname "$0")" && pwd)
replay=${1:?the replay program is missing}
folder=${AZURE_RECORDINGS:-${REINSTATE_SHARED:-$here/../../../shared}/azure/recordings}

if ! ls "$folder"/*.jsonl >/dev/null 2>&1; then
    echo "recordings: skipped: no recordings at $folder; name a folder in AZURE_RECORDINGS"
    [ -z "${CI:-}" ] && [ -z "${AZURE_RECORDINGS:-}" ]
    exit
fi
[ "${2:-}" = -v ] && exec "$replay" -v "$folder" "$here"
exec "$replay" "$folder" "$here"
