
# --- restore jobs

# A job as Azure shows it. Nothing: it does not know it.
function Read-RestoreJob($What, [string]$Id) {
    if ($Id -notmatch '^[0-9A-Za-z-]{1,64}$') { Stop-Runbook "a job has no name that can be asked for: $Id" }
    $answer = Invoke-AzRestMethod -Method GET -Path "$($What.VaultPath)/backupJobs/${Id}?api-version=$($What.Api)"
    if (Test-Absent $answer.StatusCode $answer.Content) { return }
    if ($answer.StatusCode -ne 200) { Stop-Runbook "job $Id cannot be read ($($answer.StatusCode)): whether it is ours is not known" }
    return ($answer.Content | ConvertFrom-Json).properties
}
# Azure's clock, as it answers now. Nothing: no answer says what time it is.
function Get-AzureTime($What) {
    try { $answer = Invoke-AzRestMethod -Method GET -Path "$($What.VaultPath)?api-version=$($What.Api)" } catch { return }
    foreach ($one in $answer.Headers) {
        if ($one.Key -eq 'Date') { return ConvertTo-Time (@($one.Value)[0]) }
    }
}
# Why the order is not in force by Azure's clock; nothing: it is. Hours may lie behind a step, and this machine's clock may be wrong.
function Get-OutOfForce($What) {
    $now = Get-AzureTime $What
    if (-not $now) { return 'no answer of Azure says what time it is' }
    if ($What.Since -and $now -lt $What.Since) { return "order $($What.Order) begins at $($What.Since.ToString('u')), and it is $($now.ToString('u'))" }
    if ($What.NotAfter -and $now -gt $What.NotAfter) {
        return "order $($What.Order) ended at $($What.NotAfter.ToString('u')), and it is $($now.ToString('u')): order anew, and make a new runbook"
    }
}
# A member of a job's property bag; names are compared without case and blanks.
function Get-Bag($Job, [string]$Name) {
    foreach ($one in @($Job.extendedInfo.propertyBag.PSObject.Properties)) {
        if ($one -and $one.Name.Trim() -eq $Name) { return [string]$one.Value }
    }
}
function Get-JobType($Job) {
    if ($Job.operation -eq 'CrossRegionRestore') { return 'cross-region' }
    $text = [string]$Job.extendedInfo.internalPropertyBag.restoreLocationType
    if (-not $text) { $text = Get-Bag $Job 'job type' }
    if ($text -match 'alternate\s*location') { return 'new-vm' }
    if ($text -in 'RestoreDisks', 'Recover disks') { return 'disks' }
    if ($text -in 'OriginalLocation', 'Replace disks') { return 'replace' }
}
# Both are named, and are not the same. What a job does not name cannot speak against its being ours.
function Test-Differs([string]$Named, [string]$Wanted) { return $Named -and $Wanted -and $Named -ne $Wanted }
# When the job's recovery point was taken. Nothing: its text cannot be read. PowerShell reads many a text that may mean two times, so
# only what can mean one is handed to it: the US form with its half of the day, and years first.
function Get-PointTime($Job) {
    $text = Get-Bag $Job 'recovery point time'
    if ($text -match '^\s*\d+/\d+/\d{4},?\s+\d+:\d+:\d+\s*[AP]M\s*$' -or
        $text -match '^\s*\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?\s*$') { return ConvertTo-Time $text }
}
# The job restores another point, or in another way, or to another place.
function Test-Elsewhere($What, $Job) {
    $at = Get-PointTime $Job
    if ($at -and $What.PointAt -and [Math]::Abs(($at - $What.PointAt).TotalSeconds) -gt 2) { return $true }
    return (Test-Differs (Get-JobType $Job) $What.Type) -or (Test-Differs (Get-Bag $Job 'target resource group') $What.Group) -or
        (Test-Differs (Get-Bag $Job 'target vm name') $What.TargetVm)
}
# The job may be from another point: its text names no second for certain, or it has ended without one.
function Test-OpenPoint($What, $Job) {
    if (-not $What.PointAt) { return $false }
    $text = Get-Bag $Job 'recovery point time'
    if (-not $text) { return $Job.status -in 'Completed', 'CompletedWithWarnings', 'Failed', 'Cancelled' }
    return -not (Get-PointTime $Job)
}
# A failed job of ours that nobody knew of when this runbook was made. A pass that left a key is no restore.
function Test-FailedForUs($What, [string]$Id, $Job) {
    if ($What.Type -eq 'disks' -and (Get-Bag $Job 'secured encryption info blob name')) { return $false }
    if ($env:AFTER_JOB -eq $Id) { return $false }
    $ended = ConvertTo-Time $Job.endTime
    return -not $ended -or $ended -ge $What.Made
}

# It began before the order.
function Test-Earlier($What, $Job) {
    $start = ConvertTo-Time $Job.startTime
    return $What.Expect -ne 'Key' -and $start -and $start -lt $What.Since
}
# What somebody began before the order, for another reason, does not carry it out, unless a claim names it for the order; whether it is
# to be done a second time a person says.
function Test-NotOfOrder($What, [string]$Id, $Job) {
    if (-not (Test-Earlier $What $Job) -or (Test-Named $What $Id)) { return $false }
    if ($Job.status -eq 'Failed') { return $What.Expect -eq 'Failed' -and [bool](Get-Bag $Job 'secured encryption info blob name') }
    if ($Job.status -notlike 'Completed*') { return $false }
    if ($env:AFTER_JOB -eq $Id) { return $true }
    Stop-Runbook "job $Id did just this ($($Job.status)), began before order $($What.Order), and no claim names it for this order: look at what it restored. When the order is to be carried out all the same, go on with `$env:AFTER_JOB = '$Id'"
}

# The jobs of one operation between two times, as the vault lists them. null, no member and no body are an empty list; an error, or
# anything else that is none, lists nothing, and is no empty one. What does not say which operation it is may be the one.
function Get-ListedJob($What, [string]$Operation, [datetime]$From, [datetime]$To) {
    $others = 'Backup', 'ConfigureBackup', 'DisableBackup', 'DeleteBackupData', 'Register', 'UnRegister', 'Undelete', 'UpdateCustomerManagedKey'
    $form = 'yyyy-MM-dd hh:mm:ss tt'
    $words = [cultureinfo]::InvariantCulture
    $range = "startTime eq '$($From.ToString($form, $words))' and endTime eq '$($To.ToString($form, $words))'"
    $filter = [uri]::EscapeDataString("backupManagementType eq 'AzureIaasVM' and operation eq '$Operation' and $range")
    $path = "$($What.VaultPath)/backupJobs?api-version=$($What.Api)&%24filter=$filter"
    $seen = @()
    while ($path) {
        if ($path -in $seen) { Stop-Runbook "the vault's list of jobs repeats a page" }
        $seen += $path
        $answer = Invoke-AzRestMethod -Method GET -Path $path
        if ($answer.StatusCode -notin 200, 204) { Stop-Runbook "the vault's jobs cannot be listed ($($answer.StatusCode)); nothing was triggered" }
        if (-not $answer.Content) { return }
        $page = $answer.Content | ConvertFrom-Json
        $names = @($page.PSObject.Properties.Name | Where-Object { $_ -and $_ -notlike '*nextLink' })
        if ($page -isnot [pscustomobject] -or ($null -ne $page.error) -or ($names.Count -and $names -cnotcontains 'value') -or
            ($null -ne $page.value -and $page.value -isnot [array])) {
            Stop-Runbook "the vault's list of jobs cannot be read; nothing was triggered"
        }
        foreach ($job in @($page.value)) {
            if ($null -eq $job -or $job.properties.operation -in $others) { continue }
            [pscustomobject]@{ JobId = [string]$job.name; StartTime = ConvertTo-Time $job.properties.startTime }
        }
        # The path alone: a token goes to no host that only an answer names.
        $links = @($page.PSObject.Properties | Where-Object { $_.Name -like '*nextLink' -and ([string]$_.Value).Trim() })
        if ($links.Count -gt 1) { Stop-Runbook "the vault's list of jobs does not say where it goes on; nothing was triggered" }
        $path = if ($links.Count) { ([uri]([string]$links[0].Value).Trim()).PathAndQuery }
    }
}

# The name of the newest restore job of this machine, type, target and point that runs or is done; where it is expected to fail, or a
# key is looked for, also one that failed and left a key (Key: no other). Nothing: none. A job that restores this machine otherwise
# stops it, and so does one of ours that failed since this runbook was made. Azure lists 30 days at most.
function Find-RestoreJob($What) {
    $ended = 'Completed', 'CompletedWithWarnings', 'Failed', 'Cancelled'
    $all = @()
    $now = Get-AzureTime $What
    if (-not $now) { $now = [datetime]::UtcNow }
    $from = $now
    if ($What.Since) { $from = $What.Since.AddDays(-2) }
    for (; $from -lt $now; $from = $from.AddDays(29)) {
        # A restore into the paired region is an operation of its own, and keeps the machine busy like any other.
        foreach ($operation in 'Restore', 'CrossRegionRestore') { $all += @(Get-ListedJob $What $operation $from $from.AddDays(29)) }
    }
    foreach ($one in @($all | Where-Object { $_ } | Sort-Object JobId -Unique | Sort-Object StartTime -Descending)) {
        $job = Read-RestoreJob $What $one.JobId
        if (-not $job) { Stop-Runbook "job $($one.JobId) is listed and cannot be read: whether it is ours is not known" }
        # Machines are compared by group and name. A job that names neither may be ours.
        $of = @(([string]$job.containerName).Split(';'))
        if ($of.Count -gt 2) {
            if ($of[-1] -ne $What.Vm -or $of[-2] -ne $What.SourceGroup) { continue }
        } elseif ($job.entityFriendlyName -and $job.entityFriendlyName -ne $What.Vm) { continue }
        $left = Get-Bag $job 'secured encryption info blob name'
        if ($job.status -in $ended) {
            $end = ConvertTo-Time $job.endTime
            if (($end -and $end -lt $What.Since) -or (Test-Elsewhere $What $job)) { continue }
            if (Test-NotOfOrder $What $one.JobId $job) { continue }
        } else {
            if ($What.Expect -eq 'Key') { continue }
            if (Test-Elsewhere $What $job) {
                Stop-Runbook "job $($one.JobId) restores this machine already, otherwise than this step would: let it end first"
            }
        }
        if ($What.Expect -ne 'Key' -and (Test-OpenPoint $What $job) -and -not (Test-Named $What $one.JobId)) {
            if ($env:AFTER_JOB -eq $one.JobId) { continue }
            Stop-Runbook "job $($one.JobId) ($($job.status)) may be this very restore: the time of its point cannot be read exactly ($(Get-Bag $job 'recovery point time')); look at what it restores. When it is another, go on with `$env:AFTER_JOB = '$($one.JobId)'"
        }
        if ($What.Expect -eq 'Key' -and -not ($job.status -eq 'Failed' -and $left)) { continue }
        if ($job.status -in 'Failed', 'Cancelled' -and -not ($What.Expect -ne 'Completed' -and $job.status -eq 'Failed' -and $left)) {
            if (-not (Test-FailedForUs $What $one.JobId $job)) { continue }
            Stop-Runbook "job $($one.JobId) ended $($job.status) since this runbook was made: make a new one. Or look at the job, and go on with `$env:AFTER_JOB = '$($one.JobId)'"
        }
        Show "job $($one.JobId): $($job.status), recovery point of $(Get-Bag $job 'recovery point time')"
        return [string]$one.JobId
    }
}

# Follows a restore job to its end, which must be the one expected.
function Wait-RestoreJob($What, [string]$Id) {
    $script:Waited = 0
    for ($misses = 0; ; ) {
        try { $job = Read-RestoreJob $What $Id; $misses = 0 } catch { $job = $null; $misses++ }
        if ($misses -gt 10) { Stop-Runbook "job $Id cannot be read; it goes on in Azure" }
        if ($job -and $job.status -in 'Completed', 'CompletedWithWarnings', 'Failed', 'Cancelled') { break }
        Wait-For "job $Id" 30
    }
    Show "job $Id ended $($job.status)"
    $failure = $job.errorDetails | ConvertTo-Json -Depth 6 -Compress
    if ($What.Expect -eq 'Failed') {
        if ($job.status -ne 'Failed') { Stop-Runbook 'the key was fine after all: plan again, and keep the disks' }
        if (-not (Get-Bag $job 'secured encryption info blob name')) { Stop-Runbook "the job left no key: $failure" }
    } elseif ($job.status -notlike 'Completed*') { Stop-Runbook "the restore failed: $failure" }
}

# --- the trigger

# The answer to a trigger was lost; the job may run all the same, and shows in the list after minutes, or it was never taken.
function Find-LostJob($What) {
    Show 'the answer to the trigger was lost: looking whether the job runs; nothing is triggered again'
    for ($script:Waited = 0; $script:Waited -lt $What.Settle + 600; ) {
        Wait-For 'the job list' 30
        $job = Find-RestoreJob $What
        if ($job) { return $job }
    }
    Stop-Runbook 'no such job shows: run this again to look once more; nothing is repeated blindly'
}
# The tool's own request, sent once. Its status alone says whether it was taken (Refused: it was not); whatever is refused after that
# is a question about what runs. Gives the job's name, if it is told.
function Send-Trigger([string]$Path, [string]$Body) {
    $script:Refused = ''
    try { $answer = Invoke-AzRestMethod -Method POST -Path $Path -Payload $Body } catch { Show "$_"; return '' }
    if ($answer.StatusCode -ge 400 -and $answer.StatusCode -lt 500 -and $answer.StatusCode -ne 408) {
        Show $answer.Content
        try { $script:Refused = [string]($answer.Content | ConvertFrom-Json).error.code } catch { $script:Refused = '' }
        if (-not $script:Refused) { $script:Refused = "$($answer.StatusCode)" }
        return ''
    }
    $head = @{}
    foreach ($one in $answer.Headers) { $head[$one.Key] = @($one.Value)[0] }
    $next = [string]$head['Azure-AsyncOperation']
    $script:Waited = 0
    for ($tries = 0; $next -and $tries -lt 60; $tries++) {
        Wait-For 'the operation' 10
        # The path alone: a token goes to no host that only an answer names.
        try { $seen = Invoke-AzRestMethod -Method GET -Path ([uri]$next).PathAndQuery } catch { continue }
        if ($seen.StatusCode -eq 404 -and $tries -lt 5) { continue }
        if ($seen.StatusCode -ne 200) { return '' }
        $operation = $seen.Content | ConvertFrom-Json
        if ($operation.status -eq 'Succeeded') { return [string]$operation.properties.jobId }
        if ($operation.status -in 'Failed', 'Canceled', 'Cancelled') {
            Show $seen.Content
            $script:Refused = if ($operation.error.code) { [string]$operation.error.code } else { [string]$operation.status }
            return ''
        }
    }
    return ''
}
# Says in the claim that we are still at it, where it is a minute old, so that nobody takes it over now.
function Update-Claim([string]$Url, $Claim, $Now) {
    $made = ConvertTo-Time $Claim.Held.at
    if (-not $Now -or ($made -and ($Now - $made).TotalSeconds -lt 60)) { return }
    $before = $Claim.ETag
    Write-ClaimNote $Url $Claim 'renewed' ($Now.ToString('yyyy-MM-ddTHH:mm:ssZ', [cultureinfo]::InvariantCulture))
    if ($Claim.ETag -eq $before) { Stop-Runbook "claim $($Claim.Name) could not be renewed: somebody may have taken it over; nothing was triggered" }
}
# Directly before a trigger, since a laptop may have been closed after the claim. Gives a job that shows meanwhile. What stops it is
# noted in the claim, for other runs.
function Find-LastMoment($What, [string]$Url, $Claim) {
    try {
        $job = Find-RestoreJob $What
        if ($job) { return $job }
        if ($Claim) {
            $answer = Invoke-Blob GET "$Url/$($Claim.Name)"
            if ($answer.Status -ne 200) { Stop-Runbook "claim $($Claim.Name) cannot be read back ($($answer.Status) $($answer.Code)); nothing was triggered" }
            if ($answer.ETag -ne $Claim.ETag) { Stop-Runbook "claim $($Claim.Name) is no longer as we wrote it: somebody has taken it over; nothing was triggered" }
            Update-Claim $Url $Claim $answer.Now
        }
        $why = Get-OutOfForce $What
        if ($why) { Stop-Runbook "$why; nothing was triggered" }
    } catch {
        Write-ClaimNote $Url $Claim 'ended' "not triggered: $_"
        throw
    }
}
# A job that began before the order is the order's only by a claim's word, which later runs read.
function Set-Mark($What, [string]$Job) {
    $seen = Read-RestoreJob $What $Job
    if (-not $seen -or -not (Test-Earlier $What $seen)) { return }
    $url = Get-ClaimsUrl $What.Account
    $claim = Read-Claim $What $Url
    if (-not $claim.Refused) {
        if ($claim.Generation -lt 0 -or ($claim.Held.job -and $claim.Held.job -ne $Job)) {
            $mine = New-Claim $What $Url ($claim.Generation + 1) $claim.Now
            if ($mine -and -not $mine.Refused) { Write-ClaimNote $Url $mine 'job' $Job; return }
        } else {
            $notes = [ordered]@{}
            if (-not $claim.Held.job) { $notes['job'] = $Job }
            if ($claim.Held.order -ne $What.Order -and $claim.Held.adoptedBy -ne $What.Order) { $notes['adoptedBy'] = $What.Order }
            foreach ($one in $notes.Keys) { Write-ClaimNote $Url $claim $one $notes[$one] }
            return
        }
    }
    Show "that job $Job is this order's could not be noted in a claim: a later run cannot tell, and leaves it to a person"
}
# The restore, adopted or triggered, followed to its end. Two looks, because Azure's job list lags; then a claim, and a last look.
function Invoke-Once($What, [scriptblock]$Trigger) {
    $guard = @{}
    $url = ''
    $job = Find-RestoreJob $What
    if (-not $job) {
        $why = Get-OutOfForce $What
        if ($why) { Stop-Runbook "$why; nothing was triggered" }
        $script:Waited = 0
        Wait-For 'the second look before a restore' $What.Settle
        $job = Find-RestoreJob $What
    }
    if ($job) {
        Set-Mark $What $job
    } else {
        $url = Get-ClaimsUrl $What.Account
        $guard = Get-Guard $What $url
        $job = $guard.Job
        if (-not $job) { $job = Find-LastMoment $What $url $guard.Claim }
    }
    if (-not $job) {
        $job = [string](& $Trigger)
        if ($script:Refused) {
            Write-ClaimNote $url $guard.Claim 'ended' "not triggered: $($script:Refused)"
            Stop-Runbook "Azure refused the restore: $($script:Refused); nothing was triggered"
        }
        if ($job -notmatch '^[0-9A-Za-z-]{1,64}$') { $job = '' }
        if (-not $job) { $job = Find-LostJob $What }
        Show "restore triggered: job $job"
    }
    if ($guard.Claim -and -not $guard.Claim.Held.job) { Write-ClaimNote $url $guard.Claim 'job' $job }
    if ($What.Expect -eq 'Failed') { Show "restore job ${job}: it will show Failed: intended, do not cancel it" }
    else { Show "restore job ${job}: it must end Completed" }
    Wait-RestoreJob $What $job
}
