# shellcheck shell=bash

# A member of a backup job's property bag; names are compared without case and blanks.
bag() {
    answer --arg key "$1" '.properties.extendedInfo.propertyBag // {} |
        with_entries(.key |= (ascii_downcase | gsub("^ +| +$"; ""))) | .[$key] // empty'
}

# find_job: sets job to the newest restore job of $vm of type $type for group $group that runs or is done; with $expect Failed
# also one that failed and left a key. Empty: none.
find_job() {
    local id kind into state
    job=''
    az backup job list -g "$rg" -v "$vault" --operation Restore --start-date "$since" --end-date "$until" -o json >"$work/list"
    for id in $(jq -r --arg vm "$vm" 'map(select((.properties.entityFriendlyName // "" | ascii_downcase) == ($vm | ascii_downcase))) |
        sort_by(.properties.startTime) | reverse | .[].name' "$work/list"); do
        az backup job show -g "$rg" -v "$vault" -n "$id" -o json >"$work/body"
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
    local state
    while :; do
        az backup job show -g "$rg" -v "$vault" -n "$job" -o json >"$work/body" || { sleep 60; continue; }
        state=$(answer .properties.status)
        case $state in
        InProgress | Cancelling) sleep 30 ;;
        *) break ;;
        esac
    done
    say "job $job ended $state"
    case $expect/$state in
    Failed/Failed) bag 'secured encryption info blob name' >/dev/null || stop "the job left no key: $(jq -c .properties.errorDetails "$work/body")" ;;
    Failed/*) stop 'the key was fine after all: plan again, and keep the disks' ;;
    Completed/Completed*) ;;
    *) stop "$(jq -c .properties.errorDetails "$work/body")" ;;
    esac
}
