# shellcheck shell=bash

# list_range FROM TO: appends the restore jobs of the vault between these seconds to $work/list.
list_range() {
    local range url seen=' '
    range=$(jq -nr --argjson from "$1" --argjson to "$2" '"%Y-%m-%d %I:%M:%S %p" as $form |
        "backupManagementType eq '\''AzureIaasVM'\'' and operation eq '\''Restore'\'' and startTime eq '\''\($from | strftime($form))'\''" +
        " and endTime eq '\''\($to | strftime($form))'\''" | @uri')
    url="$arm$vault/backupJobs?api-version=$api_backup&%24filter=$range"
    while [ -n "$url" ]; do
        at_arm "$url"
        [[ $seen != *" $url "* ]] || stop "the vault's list of jobs repeats a page"
        seen+="$url "
        call ARM GET "$url" || stop "the vault's jobs cannot be listed; nothing was triggered"
        jq -c '.value // [] | .[]' "$work/body" >>"$work/list" || stop "the vault's list of jobs cannot be read; nothing was triggered"
        url=$(jq -r '.nextLink // "" | gsub("^ +| +$"; "")' "$work/body")
    done
}
# read_job ID: one, into $work/body; 3: Azure says that there is no such job.
read_job() {
    ask ARM GET "$arm$vault/backupJobs/$1?api-version=$api_backup" && return
    ! absent || return 3
    return 1
}
