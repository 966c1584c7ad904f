# shellcheck shell=bash

# read_job ID: one, into $work/body; 3: Azure says that there is no such job.
read_job() {
    az backup job show -g "$rg" -v "$vault" -n "$1" -o json >"$work/body" && return
    ! grep -qE '\((ResourceNotFound|NotFound|BMSUserErrorObjectNotFound)\)' "$work/error" || return 3
    return 1
}
