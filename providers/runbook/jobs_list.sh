# shellcheck shell=bash

# items: those of the page of a list just read, one a line. null, no member and no body are an empty list; an error, or anything else
# that is none, lists nothing, and is no empty one.
items() {
    jq -c 'if type == "object" and .error == null and
            (.value | type | IN("null", "array")) and (has("value") or all(keys[]; test("nextLink$"; "i")))
        then .value // [] | .[] else error("no list") end' "$work/body" 2>"$work/error"
}
# next_page: where the list goes on; nothing: that was its end. Services spell the name in their own ways.
next_page() {
    jq -r '[to_entries[] | select(.key | test("nextLink$"; "i")) | .value | select(. != null) | gsub("^ +| +$"; "") |
        select(. != "")] | unique | if length > 1 then error("two pages") else .[0] // "" end' "$work/body" 2>"$work/error"
}
# list_range FROM TO: appends the restore jobs of the vault between these seconds to $work/list. A restore into the paired region is an
# operation of its own, and keeps the machine busy like any other.
list_range() {
    list_operation Restore "$@"
    list_operation CrossRegionRestore "$@"
}
# list_operation OPERATION FROM TO. What does not say which operation it is may be the one.
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
        items >"$work/page" || stop "the vault's list of jobs cannot be read; nothing was triggered"
        jq -c 'select(.properties.operation | tostring | IN("Backup", "ConfigureBackup", "DisableBackup", "DeleteBackupData", "Register",
            "UnRegister", "Undelete", "UpdateCustomerManagedKey") | not)' "$work/page" >>"$work/list" ||
            stop "the vault's list of jobs cannot be read; nothing was triggered"
        url=$(next_page) || stop "the vault's list of jobs does not say where it goes on; nothing was triggered"
    done
}
# read_job ID: one, into $work/body; 3: Azure says that there is no such job.
read_job() {
    ask ARM GET "$arm$vault/backupJobs/$1?api-version=$api_backup" && return
    ! absent || return 3
    return 1
}
