#!/bin/sh
# The PowerShell form of the runbooks, read by a grammar of PowerShell where its own parser is not to be had.
#   run-powershell.sh
# Where npm's packages cannot be had that is named as skipped; with CI set it is a failure.
set -u
here=$(cd "$(dirname "$0")" && pwd) || exit 2
cd "$here" || exit 2

if ! command -v node >/dev/null || { [ ! -d node_modules/web-tree-sitter ] && ! npm ci --no-audit --no-fund --silent; }; then
    echo "skipped: the grammar of PowerShell cannot be installed here"
    echo "powershell: 0 passed, 0 failed, 1 skipped"
    [ -z "${CI:-}" ]
    exit
fi
passed=0 failed=0
# What is not closed must be found, or nothing is shown by finding nothing.
broken=$(mktemp) || exit 2
trap 'rm -f "$broken"' EXIT
sed '/^function Find-RestoreJob/,/^}/{/^}/d}' "$here/../../providers/runbook/powershell_jobs.ps1" >"$broken"
if node powershell.mjs "$broken" >/dev/null; then
    failed=1
    echo "FAILED  a function that is not closed is not found"
else
    passed=1
fi
for script in "$here"/../golden/runbooks/*.powershell "$here"/../../providers/runbook/*.ps1; do
    if node powershell.mjs "$script"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED  $(basename "$script")"
    fi
done
echo "powershell: $passed passed, $failed failed"
[ "$failed" = 0 ]
