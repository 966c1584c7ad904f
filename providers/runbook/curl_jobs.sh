# shellcheck shell=bash

# list_range FROM TO: appends the restore jobs of the vault between these seconds to $work/list. A restore into the paired region is an
# operation of its own, and keeps the machine busy like any other.
list_range() {
    list_operation Restore "$@"
    list_operation CrossRegionRestore "$@"
}
# list_operation OPERATION FROM TO
list_operation() {
    local range url seen=' '
    range=$(jq -nr --arg operation "$1" --argjson from "$2" --argjson to "$3" '"%Y-%m-%d %I:%M:%S %p" as $form |
        "backupManagementType eq '\''AzureIaasVM'\'' and operation eq '\''\($operation)'\'' and startTime eq '\''\($from | strftime($form))'\''" +
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
