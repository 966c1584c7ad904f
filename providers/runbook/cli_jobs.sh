# shellcheck shell=bash

# list_range FROM TO: appends the restore jobs of the vault between these seconds to $work/list, those into the paired region too,
# which az has no word for. It wants days, and takes each from its beginning.
list_range() {
    local from to
    from=$(jq -nr "$1 | strftime(\"%d-%m-%Y\")") to=$(jq -nr "$2 + 86400 | strftime(\"%d-%m-%Y\")")
    az backup job list -g "$rg" -v "$vault" --start-date "$from" --end-date "$to" -o json >"$work/body" ||
        stop "the vault's jobs cannot be listed; nothing was triggered"
    jq -c '.[] | select(.properties.operation | IN("Restore", "CrossRegionRestore"))' "$work/body" >>"$work/list" || stop "the vault's list of jobs cannot be read; nothing was triggered"
}
# read_job ID: one, into $work/body; 3: Azure says that there is no such job.
read_job() {
    az backup job show -g "$rg" -v "$vault" -n "$1" -o json >"$work/body" && return
    ! grep -qE '\((ResourceNotFound|NotFound|BMSUserErrorObjectNotFound)\)' "$work/error" || return 3
    return 1
}
