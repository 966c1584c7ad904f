#!/bin/sh
# Adds up what tests have counted: counts.sh FILE. Every tier ends with one line "TIER: N passed, N failed…".
# Prints "PASSED FAILED"; nothing where nothing was counted.
sed -nE 's/^[A-Za-z0-9 -]+: (.*, )?([0-9]+) passed, ([0-9]+) failed.*/\2 \3/p' "$1" |
    awk '{ passed += $1; failed += $2 } END { if (NR) print passed, failed }'
