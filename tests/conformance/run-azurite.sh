#!/bin/sh
# Azurite, Microsoft's storage emulator, judges our blob client and the simulator's blob answers.
#   run-azurite.sh BINARY [PROGRAM [RACERS]]     azurite.c and claims_azurite.c, built; by default in tests/conformance beside BINARY
#   ROUNDS: of the race for claims (40); SEED: of its pauses and kills; ONLY=claims: that race alone
# Where its parts cannot be had it is named as skipped; with CI set that is a failure.
set -u

binary=$(realpath "$1") || exit 2
program=$(realpath "${2:-$(dirname "$binary")/tests/conformance/azurite}") || exit 2
racers=$(realpath "${3:-$(dirname "$binary")/tests/conformance/claims_azurite}") || exit 2
cd "$(dirname "$0")" || exit 2

skip() {
    echo "skipped: $1"
    echo "azurite: 0 passed, 0 failed, 1 skipped"
    [ -z "${CI:-}" ]
    exit
}

command -v node >/dev/null 2>&1 || skip "node (20 or newer) is not installed"
command -v openssl >/dev/null 2>&1 || sh ../install.sh openssl || skip "openssl cannot be installed"
if [ ! -f node_modules/azurite/package.json ]; then
    npm ci --no-audit --no-fund >/dev/null 2>&1 || skip "the packages of package-lock.json cannot be installed"
fi
exec node azurite.mjs "$binary" "$program" "$racers"
