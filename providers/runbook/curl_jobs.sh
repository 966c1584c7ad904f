# shellcheck shell=bash

# list_jobs: the restore jobs of the vault in $ranges, into $work/list. read_job ID: one, into $work/body; 3: Azure knows no such job.
list_jobs() {
    local range url seen
    : >"$work/list"
    for range in "${ranges[@]}"; do
        url="$arm$vault/backupJobs?api-version=$api_backup&%24filter=$range" seen=' '
        while [ -n "$url" ]; do
            at_arm "$url"
            [[ $seen != *" $url "* ]] || stop "the vault's list of jobs repeats a page"
            seen+="$url "
            call ARM GET "$url" || stop "the vault's jobs cannot be listed; nothing was triggered"
            jq -c '.value // [] | .[]' "$work/body" >>"$work/list" || stop "the vault's list of jobs cannot be read; nothing was triggered"
            url=$(jq -r '.nextLink // "" | gsub("^ +| +$"; "")' "$work/body")
        done
    done
}
read_job() {
    ask ARM GET "$arm$vault/backupJobs/$1?api-version=$api_backup" && return
    [ "$(status)" != 404 ] || return 3
    return 1
}
