# shellcheck shell=bash

# list_jobs: the restore jobs of the vault in $ranges, into $work/list. read_job ID: one, into $work/body.
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
read_job() { ask ARM GET "$arm$vault/backupJobs/$1?api-version=$api_backup"; }
# refusal: the code of what Azure has surely refused; nothing when nobody can tell whether it was taken. What is refused once it was
# taken (taken, set by trigger) is a question about it: the restore goes on.
refusal() {
    case $(status) in
    4[0-9][0-9]) [ -n "$taken" ] || [ "$(status)" = 408 ] || jq -r '.error.code // .code // "refused"' "$work/body" ;;
    2[0-9][0-9]) jq -r 'if ((.status // "") | test("^(failed|canceled|cancelled)$"; "i")) then .error.code // "refused" else empty end' "$work/body" ;;
    esac
}
