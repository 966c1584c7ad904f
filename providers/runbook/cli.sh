# shellcheck shell=bash
set -euo pipefail
umask 077
from=${1:-1}
# Key material is a file in this folder (0700, files 0600) while a step needs it, and is overwritten and removed when the script ends.
work=$(mktemp -d)
trap 'find "$work" -type f -exec shred -u {} +; rm -rf "$work"' EXIT

say() { printf '%s\n' "$*" >&2; }
stop() { say "STOP: $*"; exit 1; }
answer() { jq -er "$@" "$work/body"; }
