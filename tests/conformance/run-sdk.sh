#!/bin/sh
# Microsoft's JavaScript SDKs against the simulated Azure: every service they know of it, the recovery of examples/01-lost-key by
# hand, and the world that apply leaves behind.
#   run-sdk.sh BINARY
# With REINSTATE_KEEP_RECORDS=DIR every exchange is kept there for the validator. With CI set, missing packages are a failure.
set -eu

[ $# = 1 ] && [ -x "$1" ] || { echo "run-sdk.sh BINARY" >&2; exit 2; }
binary=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
cd "$(dirname "$0")"

missing() {
    echo "skipped: sdk: $1"
    [ -z "${CI:-}" ] || exit 1
    exit 0
}

command -v node >/dev/null || missing "there is no node"
[ "$(node -p 'parseInt(process.versions.node)')" -ge 20 ] || missing "node is older than 20"
if ! [ -d node_modules/@azure/keyvault-keys ]; then
    npm ci --no-audit --no-fund --silent || missing "the packages cannot be installed"
fi
exec node sdk/run.mjs "$binary"
