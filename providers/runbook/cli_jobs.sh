# shellcheck shell=bash

# list_jobs: the restore jobs of the vault in $ranges, into $work/list. read_job ID: one, into $work/body; 3: Azure knows no such job.
list_jobs() {
    local range
    : >"$work/list"
    for range in "${ranges[@]}"; do
        az backup job list -g "$rg" -v "$vault" --operation Restore --start-date "${range% *}" --end-date "${range#* }" -o json >"$work/body" ||
            stop "the vault's jobs cannot be listed; nothing was triggered"
        jq -c '.[]' "$work/body" >>"$work/list" || stop "the vault's list of jobs cannot be read; nothing was triggered"
    done
}
read_job() { az backup job show -g "$rg" -v "$vault" -n "$1" -o json >"$work/body"; }
