# shellcheck shell=bash

# A member of a backup job's property bag; names are compared without case and blanks.
bag() { answer --arg key "$1" '.properties.extendedInfo.propertyBag // {} | with_entries(.key |= (ascii_downcase | gsub("^ +| +$"; ""))) | .[$key] // empty'; }

# find_job: sets job to the newest restore job of $vm of type $type for group $group that runs or is done; with $expect Failed
# also one that failed and left a key. Empty: none.
find_job() {
    local url="$arm$vault/backupJobs?api-version=$api_backup&%24filter=$filter" id kind into list state
    job='' list=''
    while [ -n "$url" ]; do
        call ARM GET "$url"
        list+=$(jq -r --arg vm "$vm" '.value[] | select((.properties.entityFriendlyName // "" | ascii_downcase) == ($vm | ascii_downcase)) |
            "\(.properties.startTime) \(.name)"' "$work/body")$'\n'
        url=$(jq -r '.nextLink // empty' "$work/body")
    done
    for id in $(printf %s "$list" | sort -r | awk '{ print $2 }'); do
        call ARM GET "$arm$vault/backupJobs/$id?api-version=$api_backup"
        # What a job does not name yet cannot speak against its being ours: better none triggered than two.
        kind=$(bag 'job type') || kind=$type
        into=$(bag 'target resource group') || into=$group
        [ "$kind" = "$type" ] || continue
        [ -z "$group" ] || [ "${into,,}" = "${group,,}" ] || continue
        state=$(answer .properties.status)
        case $state in
        InProgress | Cancelling | Completed | CompletedWithWarnings) ;;
        Failed) [ "$expect" = Failed ] && bag 'secured encryption info blob name' >/dev/null || continue ;;
        *) continue ;;
        esac
        say "job $id: $state, recovery point of $(bag 'recovery point time' || echo '?')"
        job=$id
        return
    done
}

# follow_job: $job to its end; it must end as $expect.
follow_job() {
    local state tries=0
    while :; do
        if call ARM GET "$arm$vault/backupJobs/$job?api-version=$api_backup"; then
            state=$(answer .properties.status)
            case $state in
            InProgress | Cancelling) ;;
            *) break ;;
            esac
        else
            tries=$((tries + 1))
            [ "$tries" -le 10 ] || stop "job $job cannot be read; it goes on in Azure"
        fi
        pause 30
    done
    say "job $job ended $state"
    case $expect/$state in
    Failed/Failed) bag 'secured encryption info blob name' >/dev/null || stop "the job left no key: $(jq -c .properties.errorDetails "$work/body")" ;;
    Failed/*) stop 'the key was fine after all: plan again, and keep the disks' ;;
    Completed/Completed*) ;;
    *) stop "$(jq -c .properties.errorDetails "$work/body")" ;;
    esac
}

# fetch URL: a blob, to a pipe. Azure pads it with zero bytes.
fetch() {
    curl -gsS --fail -H @<(printf 'Authorization: Bearer %s\n' "$REINSTATE_TOKEN_STORAGE") -H 'x-ms-version: 2021-06-08' "$1" | tr -d '\000'
}
