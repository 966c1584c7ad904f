# shellcheck shell=bash

# bag NAME: a member of a backup job's property bag; names are compared without case and blanks.
bag() {
    answer --arg key "$1" '.properties.extendedInfo.propertyBag // {} |
        with_entries(.key |= (ascii_downcase | gsub("^ +| +$"; ""))) | .[$key] // empty'
}
# job_point: when the recovery point of the job just read was taken, in seconds; nothing when its text cannot be read. As the tool
# reads it: the US form, days first with dots, years first; with slashes and no half of the day only what can mean one time.
job_point() {
    bag 'recovery point time' | jq -Rr '"^\\s*(?<mo>\\d{1,2})/(?<d>\\d{1,2})/(?<y>\\d{4})" as $us |
        ",?\\s+(?<h>\\d{1,2}):(?<m>\\d{1,2}):(?<s>\\d{1,2})\\s*" as $clock |
        (capture($us + $clock + "(?<half>[AaPp])\\.?[Mm]\\.?\\s*$") // (capture($us + $clock + "$") + {slashes: true}) //
            capture("^\\s*(?<d>\\d{1,2})\\.(?<mo>\\d{1,2})\\.(?<y>\\d{4})" + $clock + "$") //
            capture("^\\s*(?<y>\\d{4})-(?<mo>\\d\\d)-(?<d>\\d\\d)[Tt ](?<h>\\d\\d):(?<m>\\d\\d):(?<s>\\d\\d)(\\.\\d+)?[Zz]?\\s*$")) |
        map_values(if type == "string" and test("^\\d+$") then tonumber else . end) |
        select((.slashes | not) or ((.h == 0 or .h > 12) and (.mo > 12 or .d > 12 or .mo == .d))) |
        if (.slashes or .half) and .mo > 12 then {mo: .d, d: .mo} + del(.mo, .d) else . end |
        if .half then select(.h > 0 and .h < 13) | .h = .h % 12 + (if .half | test("p"; "i") then 12 else 0 end) else . end |
        select(.mo > 0 and .mo < 13 and .h < 24 and .m < 60 and .s < 61) | .d as $day |
        [.y, .mo - 1, .d, .h, .m, .s, 0, 0] | mktime | select(gmtime[2] == $day)' 2>/dev/null || :
}
# job_type: new-vm, disks, replace or cross-region, of the job just read; nothing when it does not say.
job_type() {
    local text
    [ "$(jq -r '.properties.operation // ""' "$work/body")" != CrossRegionRestore ] || { echo cross-region; return; }
    text=$(jq -r '.properties.extendedInfo.internalPropertyBag.restoreLocationType // ""' "$work/body")
    [ -n "$text" ] || text=$(bag 'job type') || return 0
    case ${text,,} in
    *alternate*location*) echo new-vm ;;
    restoredisks | 'recover disks') echo disks ;;
    originallocation | 'replace disks') echo replace ;;
    esac
}
# differs NAMED WANTED: both are named, and are not the same. What a job does not name cannot speak against its being ours.
differs() { [ -n "$1" ] && [ -n "$2" ] && [ "${1,,}" != "${2,,}" ]; }
# elsewhere: the job just read restores another point, or in another way, or to another place.
elsewhere() {
    local at
    differs "$(job_type)" "$type" || differs "$(bag 'target resource group')" "$group" ||
        differs "$(bag 'target vm name')" "$target_vm" && return
    at=$(job_point)
    [ -n "$at" ] && [ -n "$point_at" ] && { [ $((at - point_at)) -gt 1 ] || [ $((point_at - at)) -gt 1 ]; }
}
# open_point STATE: the job just read may be from another point: its text names no second for certain, or it has ended without one.
open_point() {
    [ -n "$point_at" ] && [ -z "$(job_point)" ] || return 1
    [ -z "$(bag 'recovery point time')" ] || return 0
    case $1 in Completed | CompletedWithWarnings | Failed | Cancelled) ;; *) return 1 ;; esac
}
# failed_for_us ID ENDED: a failed job of ours that nobody knew of when this runbook was made. A pass that left a key is no restore.
failed_for_us() {
    [ "$type" = disks ] && bag 'secured encryption info blob name' >/dev/null && return 1
    [ "${AFTER_JOB:-}" != "$1" ] && [[ -z $2 || ! ${2:0:19} < ${made:0:19} ]]
}

# list_jobs: the restore jobs of the vault from two days before the order up to now, into $work/list; no restore takes as long. Azure
# lists 30 days at most at once.
list_jobs() {
    local from
    : >"$work/list"
    [ -n "$since" ] || return 0
    from=$(jq -nr --arg at "${since:0:19}Z" '$at | fromdateiso8601 - 172800')
    tell_time
    while :; do
        list_range "$from" $((from + 2505600))
        from=$((from + 2505600))
        [ "$from" -lt "$(clock)" ] || return 0
    done
}

# find_job: sets job to the newest restore job of this machine, type, target and point that runs or is done; with $expect Failed, or
# key, also one that failed and left a key (key: no other). Empty: none. A job that restores this machine otherwise stops it, and so
# does one of ours that failed since this runbook was made. Sets earlier when the job began before the order.
find_job() {
    local id state ended
    job='' earlier=''
    list_jobs
    # Machines are compared by group and name. A job that names neither may be ours.
    jq -rs --arg machine "$vm" --arg of "$source_group" 'map(.properties as $p |
        (($p.containerName // "") | ascii_downcase | split(";")) as $c |
        select(if ($c | length) > 2 then $c[-1] == ($machine | ascii_downcase) and $c[-2] == ($of | ascii_downcase)
            else (($p.entityFriendlyName // $machine) | ascii_downcase) == ($machine | ascii_downcase) end)) |
        unique_by(.name) | sort_by(.properties.startTime // "9") | reverse | .[].name | @json' "$work/list" >"$work/ours"
    while IFS= read -r id <&3; do
        id=$(jq -r . <<<"$id")
        [[ $id =~ ^[0-9A-Za-z-]{1,64}$ ]] || stop "a job of this machine has no name that can be asked for: $id"
        read_job "$id" || stop "job $id cannot be read: whether it is ours is not known; nothing was triggered"
        state=$(jq -r '.properties.status // ""' "$work/body")
        ended=$(jq -r '.properties.endTime // ""' "$work/body")
        earlier=$(jq -r --arg since "${since:0:19}" '.properties.startTime // "" | .[0:19] | select(. < $since) | "yes"' "$work/body")
        case $state in
        Completed | CompletedWithWarnings | Failed | Cancelled)
            # What had ended before the order began is none of it, and what went elsewhere does not stand in the way.
            [ -n "$ended" ] && [[ ${ended:0:19} < ${since:0:19} ]] && continue
            elsewhere && continue
            [ "$expect" = key ] || [ -z "$earlier" ] || named "$id" || { not_of_order "$id" "$state" && continue; }
            ;;
        *)
            [ "$expect" != key ] || continue
            ! elsewhere || stop "job $id restores this machine already, otherwise than this step would ($state): let it end first"
            ;;
        esac
        if [ "$expect" != key ] && open_point "$state" && ! named "$id"; then
            [ "${AFTER_JOB:-}" != "$id" ] || continue
            stop "job $id ($state) may be this very restore: the time of its point cannot be read exactly ($(bag 'recovery point time')); look at what it restores. When it is another, go on with AFTER_JOB=$id bash FILE"
        fi
        case $expect/$state in
        key/Failed | Failed/Failed)
            if ! bag 'secured encryption info blob name' >/dev/null; then
                [ "$expect" = Failed ] && failed_for_us "$id" "$ended" && stop_failed "$id" "$state"
                continue
            fi
            ;;
        key/*) continue ;;
        */Failed | */Cancelled)
            failed_for_us "$id" "$ended" && stop_failed "$id" "$state"
            continue
            ;;
        esac
        say "job $id: $state, recovery point of $(bag 'recovery point time' || echo '?')"
        job=$id
        return
    done 3<"$work/ours"
    earlier=''
}
# named ID: a claim says that this job is the order's. What was read before is kept.
named() {
    local before=$work claims='' generation='' made_at='' etag='' held=''
    local work=$before/claim
    mkdir -p "$work"
    open_claims
    newest_claim && [ -n "$generation" ] && read_claim && [ "$(held job)" = "$1" ] &&
        { [ "$(held order)" = "$order" ] || [ "$(held adoptedBy)" = "$order" ]; }
}
# not_of_order ID STATE: what somebody began before the order, for another reason, does not carry it out; whether it is to be done a
# second time a person says.
not_of_order() {
    case $2 in
    Completed*) [ "${AFTER_JOB:-}" = "$1" ] ||
        stop "job $1 did just this ($2), began before order $order, and no claim names it for this order: look at what it restored. When the order is to be carried out all the same, go on with AFTER_JOB=$1 bash FILE" ;;
    Failed) [ "$expect" = Failed ] && bag 'secured encryption info blob name' >/dev/null ;;
    *) return 1 ;;
    esac
}
stop_failed() {
    jq -c '.properties.errorDetails // []' "$work/body" | plain
    stop "job $1 ended $2 since this runbook was made: make a new one. Or look at the job, and go on with AFTER_JOB=$1 bash FILE"
}

# follow_job: $job to its end; it must end as $expect.
follow_job() {
    local state tries=0
    waited=0
    while :; do
        if read_job "$job"; then
            tries=0
            state=$(jq -r '.properties.status // ""' "$work/body")
            case $state in
            Completed | CompletedWithWarnings | Failed | Cancelled) break ;;
            esac
        else
            # A token that was given ends, and the job does not.
            [ "$(status)" != 401 ] || renew
            tries=$((tries + 1))
            [ "$tries" -le 10 ] || stop "job $job cannot be read; it goes on in Azure"
        fi
        wait_for "job $job" 30
    done
    say "job $job ended $state"
    case $expect/$state in
    Failed/Failed)
        bag 'secured encryption info blob name' >/dev/null && return
        jq -c .properties.errorDetails "$work/body" | plain
        stop 'the job left no key'
        ;;
    Failed/*) stop 'the key was fine after all: plan again, and keep the disks' ;;
    Completed/Completed*) ;;
    *)
        jq -c .properties.errorDetails "$work/body" | plain
        stop 'the restore failed'
        ;;
    esac
}

# reader_wanted: what would help who may not read a blob, by the refusal just seen.
reader_wanted() {
    if [ "$(blob_code)" = AuthorizationFailure ]; then
        echo "the account's network rules must let this address in"
    else
        echo 'who does this needs Storage Blob Data Reader on the account, or the right to list its keys'
    fi
}
# blobs_of ACCOUNT: where the blobs of a storage account are, whose name an answer gave. That of the declared account is read, as
# not every one lies where its name says.
blobs_of() {
    local shown='' zone
    [[ $1 =~ ^[a-z0-9]{3,24}$ ]] || stop "this is no name of a storage account, and no token is sent there: $1"
    [ "$1" != "${account##*/}" ] || shown=$(endpoint_of "$account") || shown=''
    zone=${shown#"https://$1.z"}
    zone=${zone%"$blob_zone_suffix"}
    [[ $zone =~ ^[0-9]{1,4}$ ]] || zone=
    if [ "$shown" = "https://$1$blob_suffix" ] || [ -n "$zone" ]; then
        printf '%s\n' "$shown"
    else
        printf '%s\n' "https://$1$blob_suffix"
    fi
}
# --- claims: a trigger has no idempotency key at Azure, so a blob is created before it, which only one writer can. The tool does so
# --- too, under the same name: whoever comes second, by tool or by runbook, adopts the job of the first.

blob_head=("x-ms-version: $api_blob")
put_claim() { ask STORAGE PUT "$claims/$1" "$3" "${blob_head[@]}" 'x-ms-blob-type: BlockBlob' "$2"; }

open_claims() { claims="$(blobs_of "${account##*/}")/reinstate-claims"; }

# newest_claim: sets generation, and made_at in seconds, of the newest claim of this restore; empty: there is none. False: refused.
newest_claim() {
    local marker='' pages=0
    generation='' made_at=''
    : >"$work/claims"
    while :; do
        if ! ask STORAGE GET "$claims?restype=container&comp=list&prefix=$claim-$marker" - "${blob_head[@]}"; then
            [ "$(blob_code)" = ContainerNotFound ]
            return
        fi
        sed 's/<Blob>/\n&/g' "$work/body" >>"$work/claims"
        marker=$(sed -n 's/.*<NextMarker>\([^<]*\)<.*/\1/p' "$work/body")
        pages=$((pages + 1))
        [ -n "$marker" ] && [ "$pages" -lt 20 ] || break
        marker="&marker=$(part "$marker")"
    done
    generation=$(sed -n "s/.*<Name>$claim-\([0-9]\{1,9\}\)<\/Name>.*/\1/p" "$work/claims" | sort -n | tail -n 1)
    [ -n "$generation" ] || return 0
    made_at=$(grep -F "<Name>$claim-$generation</Name>" "$work/claims" | grep -oE '<(Creation-Time|Last-Modified)>[^<]*' | head -n 1 |
        sed 's/.*>//' | jq -Rr 'strptime("%a, %d %b %Y %H:%M:%S GMT") | mktime') || made_at=''
}
# read_claim: sets held to what stands in the newest claim. What cannot be read was written by somebody who was cut off.
read_claim() {
    ask STORAGE GET "$claims/$claim-$generation" - "${blob_head[@]}" || return 1
    etag=$(header etag)
    held=$(jq -c 'if type == "object" then . else {} end' "$work/body" 2>/dev/null) || held='{}'
    [ -n "$held" ] || held='{}'
}
held() { jq -r --arg key "$1" '.[$key] // "" | tostring' <<<"$held"; }

# note_claim MEMBER VALUE: into the claim that is ours. Whoever was quicker has noted the same, or a person has spoken.
note_claim() {
    local next
    [ -n "$claimed" ] || return 0
    next=$(jq -c --arg key "$1" --arg value "$2" '.[$key] = $value' <<<"$held")
    if put_claim "$claimed" "If-Match: $etag" "$next"; then
        etag=$(header etag) held=$next
    elif [ "$(status)" != 412 ]; then
        say "$1 $2 could not be noted in claim $claimed: $(status)"
    fi
}

# take_claim GENERATION: sets claimed when it is ours, nothing when somebody was quicker. False: the account takes none.
take_claim() {
    local name=$claim-$1 nonce now
    nonce=$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')
    now=$(clock)
    held=$(jq -cn --arg by "$(who)" --arg at "$(jq -nr "$now | todate")" --arg order "$order" --arg point "$point" --arg target "$target" \
        --arg nonce "$nonce" '{by: $by, at: $at, order: $order, recoveryPoint: $point, target: $target, nonce: $nonce}')
    if ! put_claim "$name" 'If-None-Match: *' "$held"; then
        if [ "$(blob_code)" = ContainerNotFound ]; then
            ask STORAGE PUT "$claims?restype=container" '' "${blob_head[@]}" || [ "$(blob_code)" = ContainerAlreadyExists ] || return 1
            put_claim "$name" 'If-None-Match: *' "$held" || :
        fi
        case $(status) in
        2[0-9][0-9]) ;;
        408 | 409 | 412 | 429 | 5[0-9][0-9] | '')
            # Somebody was quicker; or it was we, and the answer was lost; or nobody has it yet.
            generation=$1
            read_claim || { [ "$(blob_code)" = BlobNotFound ]; return; }
            [ "$(held nonce)" = "$nonce" ] || return 0
            claimed=$name made_at=$now
            say "claim $claimed taken"
            return
            ;;
        *) return 1 ;;
        esac
    fi
    etag=$(header etag) claimed=$name made_at=$now
    say "claim $claimed taken"
}
# who: the object id in our own token, as the tool writes it.
who() {
    local id
    id=$(of_token oid REINSTATE_TOKEN_STORAGE)
    printf '%s\n' "${id:-a runbook}"
}

# unclaimed: the account takes no claim. What it answered is the last answer.
unclaimed() {
    local why
    why="$(status) $(blob_code)"
    # Too busy, no answer, or that of a gateway before the account, is no refusal: a claim may stand there.
    case $(status)/$(blob_code) in
    40[0134]/?*) ;;
    *) stop "whether a claim stands in storage account ${account##*/} cannot be told ($why); run this step again when it answers; nothing was triggered" ;;
    esac
    if [ "$expect" = Failed ] && [ "$(status)" = 403 ] && [ -z "$listed" ]; then
        stop "what the job leaves could not be read ($why): $(reader_wanted); nothing was triggered"
    fi
    [ -z "$claims_required" ] || stop "Policy.spec.claims is required, and ${account##*/} takes no claim ($why); nothing was triggered"
    say "storage account ${account##*/} takes no claim ($why): two looks are all that keeps another run from triggering this too"
}

# guard: ends with a claim of ours (claimed), with a job to adopt (job), or with neither where the account takes no claims.
guard() {
    local verdict other end
    open_claims
    claimed='' listed='' waited=0
    renew
    while [ -z "$claimed" ] && [ -z "$job" ]; do
        [ "$waited" -lt 7200 ] || stop 'other runs claim and claim: look at who they are; nothing was triggered'
        newest_claim || { unclaimed; return; }
        listed=yes
        if [ -n "$generation" ]; then
            read_claim || stop "claim $claim-$generation stands, and cannot be read ($(status) $(blob_code)); nothing was triggered"
            judge_claim
            case $verdict in
            adopt)
                job=$(held job)
                say "claim $claim-$generation (by $(held by), order $(held order)) names job $job: adopted, nothing is triggered"
                [ "$(held order)" = "$order" ] || { claimed=$claim-$generation && note_claim adoptedBy "$order"; }
                return
                ;;
            other) stop "claim $claim-$generation (by $(held by), order $(held order)): job $(held job) restores the same target, from another point" ;;
            waits)
                find_job
                [ -z "$job" ] || { claimed=$claim-$generation; return; }
                wait_for "the job of claim $claim-$generation (by $(held by), order $(held order)), which names none yet" 15
                continue
                ;;
            person)
                find_job
                [ -z "$job" ] || { claimed=$claim-$generation; return; }
                if [[ ${TAKE_OVER:-} != "$claim-$generation="?* ]]; then
                    stop "claim $claim-$generation (by $(held by), order $(held order)) names no job, and should: look at the vault's restore jobs. When none is this one, say so: TAKE_OVER=$claim-$generation=YOUR-NAME before bash"
                fi
                claimed=$claim-$generation
                note_claim ended "taken over: ${TAKE_OVER#*=}"
                claimed=''
                ;;
            esac
        fi
        take_claim $((${generation:--1} + 1)) || { unclaimed; return; }
        [ -n "$claimed" ] || wait_for 'the claim of another run' 5
    done
}
# judge_claim: sets verdict, by what stands in the claim and what became of its job.
judge_claim() {
    local of now state same='' renewed
    of=$(held job) now=$(clock)
    renewed=$(held renewed | jq -Rr '.[0:19] + "Z" | fromdateiso8601' 2>/dev/null) || renewed=''
    if [ -n "$renewed" ] && [ -n "$made_at" ] && [ "$renewed" -gt "$made_at" ]; then made_at=$renewed; fi
    [ "$(held recoveryPoint)" != "$point" ] || same=yes
    verdict=ended
    if [ -n "$(held ended)" ]; then
        return
    elif [ -z "$of" ]; then
        verdict=person
        [ -z "$made_at" ] || [ $((now - made_at)) -ge $((settle + 600)) ] || verdict=waits
        return
    fi
    [[ $of =~ ^[0-9A-Za-z-]{1,64}$ ]] || stop "claim $claim-$generation names a job that cannot be one: $of"
    state='' end=''
    if read_job "$of"; then
        state=$(jq -r '.properties.status // ""' "$work/body") end=$(jq -r '.properties.endTime // ""' "$work/body")
    elif [ $? = 3 ] && [ -n "$made_at" ] && [ $((now - made_at)) -gt 604800 ]; then
        return
    fi
    case $state in
    Completed | CompletedWithWarnings | Failed | Cancelled)
        [ -n "$same" ] || return 0
        [ -z "$end" ] || [[ ! ${end:0:19} < ${since:0:19} ]] || return 0
        # What had failed when the runbook was made, or was looked at by a person, is what this trigger mends.
        case $state in
        Completed*) ;;
        *) [ "${AFTER_JOB:-}" = "$of" ] && return 0
           [ -z "$end" ] || [[ ! ${end:0:19} < ${made:0:19} ]] || return 0 ;;
        esac
        verdict=adopt
        ;;
    *) if [ -n "$same" ]; then verdict=adopt; else verdict=other; fi ;;
    esac
}

# refusal: the code of what Azure has surely refused; nothing when nobody can tell whether it was taken. What is refused once it was
# taken (taken, set by trigger) is a question about it: the restore goes on.
refusal() {
    case $(status) in
    4[0-9][0-9]) [ -n "$taken" ] || [ "$(status)" = 408 ] || jq -r '.error.code // .code // "refused"' "$work/body" ;;
    2[0-9][0-9]) jq -r 'if ((.status // "") | test("^(failed|canceled|cancelled)$"; "i")) then .error.code // "refused" else empty end' "$work/body" ;;
    esac
}

# in_force: the order's window, by Azure's clock: hours may lie behind a step, and this machine's clock may be wrong. False: why says it.
in_force() {
    local now
    tell_time
    now=$(azure_clock | jq -r todate) || now=''
    if [ -z "$now" ]; then
        why="no answer of Azure says what time it is"
    elif [[ ${now:0:19} < ${since:0:19} ]]; then
        why="order $order begins at $since, and it is $now"
    elif [[ ${now:0:19} > ${not_after:0:19} ]]; then
        why="order $order ended at $not_after, and it is $now: order anew, and make a new runbook"
    else
        return 0
    fi
    return 1
}
# renew_claim: says in the claim that we are still at it, where it is a minute old, so that nobody takes it over now.
renew_claim() {
    local mine=$etag now
    now=$(clock)
    [ -z "$made_at" ] || [ $((now - made_at)) -ge 60 ] || return 0
    note_claim renewed "$(jq -nr "$now | todate")"
    [ "$etag" != "$mine" ] || stop "claim $claimed could not be renewed ($(status) $(blob_code)): somebody may have taken it over; nothing was triggered"
    made_at=$now
}
# last_look: directly before a trigger, since a laptop may have been closed after the claim. Sets job when one shows meanwhile.
last_look() {
    local mine=${etag:-}
    untriggered=$claimed
    find_job
    if [ -z "$job" ] && [ -n "$claimed" ]; then
        generation=${claimed##*-}
        read_claim || stop "claim $claimed cannot be read back ($(status) $(blob_code)); nothing was triggered"
        if [ "$etag" != "$mine" ]; then
            untriggered=''
            stop "claim $claimed is no longer as we wrote it: somebody has taken it over (ended: $(held ended), job: $(held job)); nothing was triggered"
        fi
        renew_claim
    fi
    [ -n "$job" ] || in_force || stop "$why; nothing was triggered"
    untriggered=''
}
# mark: a job that began before the order is the order's only by a claim's word, which later runs read.
mark() {
    open_claims
    if newest_claim; then
        if [ -n "$generation" ] && read_claim && { [ -z "$(held job)" ] || [ "$(held job)" = "$job" ]; }; then
            claimed=$claim-$generation
            [ "$(held order)" = "$order" ] || [ "$(held adoptedBy)" = "$order" ] || note_claim adoptedBy "$order"
            return 0
        fi
        take_claim $((${generation:--1} + 1)) && [ -n "$claimed" ] && return
    fi
    say "that job $job is this order's could not be noted in a claim: a later run cannot tell, and leaves it to a person"
}

# run_once: $job, adopted or triggered by trigger, followed to its end. Two looks, because Azure's job list lags; then a claim, and a
# last look.
run_once() {
    local code until
    claimed='' waited=0
    find_job
    if [ -z "$job" ]; then
        in_force || stop "$why; nothing was triggered"
        wait_for 'the second look before a restore' "$settle"
        find_job
    fi
    [ -z "$earlier" ] || mark
    [ -n "$job" ] || guard
    [ -n "$job" ] || last_look
    if [ -z "$job" ]; then
        if ! trigger; then
            code=$(refusal)
            if [ -n "$code" ]; then
                note_claim ended "not triggered: $code"
                stop "Azure refused the restore: $code; nothing was triggered"
            fi
            lost
        fi
        [[ $job =~ ^[0-9A-Za-z-]{1,64}$ ]] || lost
        say "restore triggered: job $job"
    fi
    [ -z "$claimed" ] || [ -n "$(held job)" ] || note_claim job "$job"
    case $expect in
    Failed) say "restore job $job: it will show Failed: intended, do not cancel it" ;;
    *) say "restore job $job: it must end Completed" ;;
    esac
    follow_job
}
# lost: the trigger's answer; the job may run all the same, and shows in the list after minutes, or it was never taken.
lost() {
    say 'the answer to the trigger was lost: looking whether the job runs; nothing is triggered again'
    job='' waited=0
    while [ -z "$job" ]; do
        [ "$waited" -lt $((settle + 600)) ] || stop 'no such job shows: run this again to look once more; nothing is repeated blindly'
        wait_for 'the job list' 30
        find_job
    done
}
