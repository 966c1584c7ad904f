#!/bin/sh
# The simulator held to the recordings: run-simcheck.sh SIMCHECK
# SIMCHECK is the program made of simcheck*.c. The recordings are AZURE_RECORDINGS, else REINSTATE_SHARED/azure/recordings,
# else ../shared/azure/recordings beside the checkout. Without them the part is skipped, but with CI set that is a failure.
set -u

program=${1:?run-simcheck.sh SIMCHECK}
here=$(cd "$(dirname "$0")" && pwd) || exit 1
recordings=${AZURE_RECORDINGS:-${REINSTATE_SHARED:-$here/../../../shared}/azure/recordings}

if [ ! -d "$recordings" ]; then
    echo "skipped: simcheck: no recordings at $recordings (AZURE_RECORDINGS names the folder)"
    echo "simcheck: 0 passed, 0 failed"
    [ -z "${CI:-}" ]
    exit
fi
exec "$program" "$recordings" "$here/simulator-differences.json"
