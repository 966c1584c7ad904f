
# --- restore jobs

# A job as Azure shows it. Nothing: it does not know it.
function Read-RestoreJob($What, [string]$Id) {
    if ($Id -notmatch '^[0-9A-Za-z-]{1,64}$') { Stop-Runbook "a job has no name that can be asked for: $Id" }
    $answer = Invoke-AzRestMethod -Method GET -Path "$($What.VaultPath)/backupJobs/${Id}?api-version=$($What.Api)"
    if ($answer.StatusCode -eq 404) { return }
    if ($answer.StatusCode -ne 200) { Stop-Runbook "job $Id cannot be read ($($answer.StatusCode)): whether it is ours is not known" }
    return ($answer.Content | ConvertFrom-Json).properties
}
# A member of a job's property bag; names are compared without case and blanks.
function Get-Bag($Job, [string]$Name) {
    foreach ($one in @($Job.extendedInfo.propertyBag.PSObject.Properties)) {
        if ($one -and $one.Name.Trim() -eq $Name) { return [string]$one.Value }
    }
}
function Get-JobType($Job) {
    $text = [string]$Job.extendedInfo.internalPropertyBag.restoreLocationType
    if (-not $text) { $text = Get-Bag $Job 'job type' }
    if ($text -match 'alternate\s*location') { return 'new-vm' }
    if ($text -in 'RestoreDisks', 'Recover disks') { return 'disks' }
    if ($text -in 'OriginalLocation', 'Replace disks') { return 'replace' }
}
# Both are named, and are not the same. What a job does not name cannot speak against its being ours.
function Test-Differs([string]$Named, [string]$Wanted) { return $Named -and $Wanted -and $Named -ne $Wanted }
# The job restores another point, or in another way, or to another place.
function Test-Elsewhere($What, $Job) {
    $at = ConvertTo-Time (Get-Bag $Job 'recovery point time')
    if ($at -and $What.PointAt -and [Math]::Abs(($at - $What.PointAt).TotalSeconds) -gt 2) { return $true }
    return (Test-Differs (Get-JobType $Job) $What.Type) -or (Test-Differs (Get-Bag $Job 'target resource group') $What.Group) -or
        (Test-Differs (Get-Bag $Job 'target vm name') $What.TargetVm)
}
# A failed job of ours that nobody knew of when this runbook was made. A pass that left a key is no restore.
function Test-FailedForUs($What, [string]$Id, $Job) {
    if ($What.Type -eq 'disks' -and (Get-Bag $Job 'secured encryption info blob name')) { return $false }
    if ($env:AFTER_JOB -eq $Id) { return $false }
    $ended = ConvertTo-Time $Job.endTime
    return -not $ended -or $ended -ge $What.Made
}

# The name of the newest restore job of this machine, type, target and point that runs or is done; where it is expected to fail, or a
# key is looked for, also one that failed and left a key (Key: no other). Nothing: none. A job that restores this machine otherwise
# stops it, and so does one of ours that failed since this runbook was made. Azure lists 30 days at most.
function Find-RestoreJob($What) {
    $ended = 'Completed', 'CompletedWithWarnings', 'Failed', 'Cancelled'
    $all = @()
    for ($from = $What.Since.AddDays(-2); $from -lt $What.Until -and $from -lt [datetime]::UtcNow; $from = $from.AddDays(30)) {
        $to = if ($from.AddDays(30) -lt $What.Until) { $from.AddDays(30) } else { $What.Until }
        $all += @(Get-AzRecoveryServicesBackupJob -From $from -To $to -Operation Restore -BackupManagementType AzureVM -VaultId $What.VaultPath)
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
        } else {
            if ($What.Expect -eq 'Key') { continue }
            if (Test-Elsewhere $What $job) {
                Stop-Runbook "job $($one.JobId) restores this machine already, otherwise than this step would: let it end first"
            }
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

# --- claims: a trigger has no idempotency key at Azure, so a blob is created before it, which only one writer can. The tool does so
# --- too, under the same name: whoever comes second, by tool or by runbook, adopts the job of the first.

# The headers by which the account's key signs a request to its blobs. The key is kept in this process alone, and sent nowhere.
$script:AccountKey = ''
$script:Keyed = ''
$script:Staging = ''
function Get-SharedKey([string]$Method, [uri]$Url, [hashtable]$Headers, [string]$Type, [int]$Length) {
    $date = [datetime]::UtcNow.ToString('R', [cultureinfo]::InvariantCulture)
    $all = @{ 'x-ms-date' = $date } + $Headers
    $query = @($Url.Query.TrimStart('?').Split('&') | Where-Object { $_ } | Sort-Object | ForEach-Object {
        $name, $value = $_.Split('=', 2)
        $name.ToLowerInvariant() + ':' + [uri]::UnescapeDataString($value)
    })
    $size = if ($Length) { "$Length" } else { '' }
    $lines = @($Method, '', '', $size, '', $Type, '', '', [string]$all['If-Match'], [string]$all['If-None-Match'], '', '')
    $lines += @($all.Keys | Where-Object { $_ -like 'x-ms-*' } | Sort-Object | ForEach-Object { $_.ToLowerInvariant() + ':' + $all[$_] })
    $lines += "/$($script:Keyed)$($Url.AbsolutePath)"
    $text = ($lines + $query) -join "`n"
    $hmac = [Security.Cryptography.HMACSHA256]::new([Convert]::FromBase64String($script:AccountKey))
    try { $signature = [Convert]::ToBase64String($hmac.ComputeHash([Text.Encoding]::UTF8.GetBytes($text))) } finally { $hmac.Dispose() }
    return @{ 'x-ms-date' = $date; Authorization = "SharedKey $($script:Keyed):$signature" }
}
# The staging account has refused the token, and its key was had instead. Once for an account. What its network refuses, it refuses
# by key too.
function Test-KeyInstead([string]$Account, $Answer) {
    $name = $Account.Split('/')[-1]
    if ($Answer.Status -ne 403 -or $Answer.Code -eq 'AuthorizationFailure' -or -not $name) { return $false }
    if ($script:Keyed -eq $name) { return $false }
    $script:AccountKey = ''
    $script:Keyed = $name
    try {
        $keys = Invoke-AzRestMethod -Method POST -Path "$([uri]::EscapeUriString($Account))/listKeys?api-version=$StorageApi"
        if ($keys.StatusCode -eq 200) { $script:AccountKey = [string]@(($keys.Content | ConvertFrom-Json).keys)[0].value }
    } catch { $script:AccountKey = '' }
    if (-not $script:AccountKey) { return $false }
    Show "storage account $name refuses the token: trying the account's key"
    return $true
}

# One request to the staging account, by token or by its key. Status 0: there was no answer. Nothing redirected is followed.
function Send-Blob([string]$Method, [string]$Url, [hashtable]$Headers, $Body) {
    $request = @{
        Method = $Method; Uri = $Url; Headers = @{ 'x-ms-version' = $BlobApi } + $Headers
        MaximumRedirection = 0; SkipHttpErrorCheck = $true; SkipHeaderValidation = $true
    }
    $type = ''
    $length = 0
    if ($Body) {
        $type = 'application/json'
        $bytes = [Text.Encoding]::UTF8.GetBytes([string]$Body)
        $length = $bytes.Length
        $request.Body = $bytes
        $request.ContentType = $type
    }
    try {
        if ($script:AccountKey -and ([uri]$Url).Host.Split('.')[0] -eq $script:Keyed) {
            $request.Headers += Get-SharedKey $Method $Url $request.Headers $type $length
        } else {
            $token = (Get-AzAccessToken -ResourceUrl $StorageAudience).Token
            if ($token -is [string]) { $token = ConvertTo-SecureString -String $token -AsPlainText -Force }
            $request.Authentication = 'Bearer'
            $request.Token = $token
        }
        $answer = Invoke-WebRequest @request
    } catch { return @{ Status = 0; Content = ''; Code = ''; ETag = ''; Now = [datetime]::UtcNow } }
    $content = if ($answer.Content -is [byte[]]) { [Text.Encoding]::UTF8.GetString($answer.Content) } else { [string]$answer.Content }
    $now = ConvertTo-Time (@($answer.Headers['Date'])[0])
    return @{
        Status = [int]$answer.StatusCode; Content = $content; Code = [regex]::Match($content, '<Code>([A-Za-z]*)<').Groups[1].Value
        ETag = [string](@($answer.Headers['ETag'])[0]); Now = $(if ($now) { $now } else { [datetime]::UtcNow })
    }
}
function Invoke-Blob([string]$Method, [string]$Url, [hashtable]$Headers = @{}, $Body = $null) {
    $answer = Send-Blob $Method $Url $Headers $Body
    if (-not (Test-KeyInstead $script:Staging $answer)) { return $answer }
    $answer = Send-Blob $Method $Url $Headers $Body
    if ($answer.Status -eq 403) { $script:AccountKey = '' }
    return $answer
}
# Where the claims of a storage account are: its own endpoint, if it is one of this cloud's.
function Get-ClaimsUrl([string]$Account) {
    $script:Staging = $Account
    $name = $Account.Split('/')[-1]
    if ($name -cnotmatch '^[a-z0-9]{3,24}$') { Stop-Runbook "this is no name of a storage account, and no token is sent there: $name" }
    $shown = ''
    $group = $Account.Split('/')[4]
    try {
        $seen = Get-AzStorageAccount -ResourceGroupName $group -Name $name
        $shown = ([string]$seen.PrimaryEndpoints.Blob).TrimEnd('/')
    } catch { $shown = '' }
    $zoned = '^https://' + $name + '\.z[0-9]{1,4}' + [regex]::Escape($BlobZoneSuffix) + '$'
    if (-not ($BlobZoneSuffix -and $shown -match $zoned)) { $shown = "https://$name$BlobSuffix" }
    return "$shown/reinstate-claims"
}
# The newest claim of this restore, with what stands in it; nothing: there is none. Refused: the account does not let us look.
function Read-Claim($What, [string]$Url) {
    $marker = ''
    $newest = -1
    $made = $null
    for ($page = 0; $page -lt 20; $page++) {
        $answer = Invoke-Blob GET "${Url}?restype=container&comp=list&prefix=$($What.Claim)-$marker"
        if ($answer.Code -eq 'ContainerNotFound') { return @{ Refused = $false; Generation = -1; Now = $answer.Now } }
        if ($answer.Status -ne 200) { return @{ Refused = $true; Answer = $answer } }
        foreach ($blob in [regex]::Matches($answer.Content, '<Blob>.*?</Blob>', 'Singleline')) {
            $name = [regex]::Match($blob.Value, "<Name>$($What.Claim)-([0-9]{1,9})</Name>")
            if (-not $name.Success -or [int]$name.Groups[1].Value -le $newest) { continue }
            $newest = [int]$name.Groups[1].Value
            $made = ConvertTo-Time ([regex]::Match($blob.Value, '<(?:Creation-Time|Last-Modified)>([^<]*)<').Groups[1].Value)
        }
        $next = [regex]::Match($answer.Content, '<NextMarker>([^<]+)<').Groups[1].Value
        if (-not $next) { break }
        $marker = '&marker=' + [uri]::EscapeDataString($next)
    }
    if ($newest -lt 0) { return @{ Refused = $false; Generation = -1; Now = $answer.Now } }
    $answer = Invoke-Blob GET "$Url/$($What.Claim)-$newest"
    if ($answer.Status -ne 200) {
        Stop-Runbook "claim $($What.Claim)-$newest stands, and cannot be read ($($answer.Status) $($answer.Code)); nothing was triggered"
    }
    # What cannot be read was written by somebody who was cut off.
    try { $held = $answer.Content | ConvertFrom-Json } catch { $held = $null }
    return @{
        Refused = $false; Generation = $newest; Name = "$($What.Claim)-$newest"; Made = $made; Raw = $answer.Content; Held = $held
        ETag = $answer.ETag; Now = $answer.Now
    }
}
# Into a claim that is ours. Whoever was quicker has noted the same, or a person has spoken.
function Write-ClaimNote([string]$Url, $Claim, [string]$Member, [string]$Value) {
    if (-not $Claim) { return }
    $raw = if ($Claim.Held) { $Claim.Raw.TrimEnd() } else { '{}' }
    $member = (ConvertTo-Json $Member) + ':' + (ConvertTo-Json $Value)
    $raw = $raw.Substring(0, $raw.Length - 1) + $(if ($raw -match '^\{\s*\}$') { '' } else { ',' }) + $member + '}'
    $answer = Invoke-Blob PUT "$Url/$($Claim.Name)" @{ 'x-ms-blob-type' = 'BlockBlob'; 'If-Match' = $Claim.ETag } $raw
    if ($answer.Status -notin 201, 412) { Show "$Value could not be noted in claim $($Claim.Name): $($answer.Status)" }
}
# A claim of ours; nothing: somebody was quicker. Refused: the account takes none.
function New-Claim($What, [string]$Url, [int]$Generation, [datetime]$Now) {
    $nonce = [guid]::NewGuid().ToString('N').Substring(0, 16)
    $at = $Now.ToString('yyyy-MM-ddTHH:mm:ssZ', [cultureinfo]::InvariantCulture)
    $held = [ordered]@{
        by = (Get-ClaimOwner); at = $at; order = $What.Order; recoveryPoint = $What.Point; target = $What.ClaimTarget; nonce = $nonce
    }
    $name = "$($What.Claim)-$Generation"
    $raw = $held | ConvertTo-Json -Compress
    $head = @{ 'x-ms-blob-type' = 'BlockBlob'; 'If-None-Match' = '*' }
    $answer = Invoke-Blob PUT "$Url/$name" $head $raw
    if ($answer.Code -eq 'ContainerNotFound') {
        Invoke-Blob PUT "${Url}?restype=container" @{} '' | Out-Null
        $answer = Invoke-Blob PUT "$Url/$name" $head $raw
    }
    if ($answer.Status -in 409, 412, 0 -or $answer.Status -ge 500) {
        # Somebody was quicker; or it was we, and the answer was lost.
        $there = Read-Claim $What $Url
        if ($there.Refused) { return $there }
        if ($there.Generation -ne $Generation -or $there.Held.nonce -ne $nonce) { return }
        Show "claim $name taken"
        return $there
    }
    if ($answer.Status -ne 201) { return @{ Refused = $true; Answer = $answer } }
    Show "claim $name taken"
    return @{ Refused = $false; Name = $name; Raw = $raw; Held = $held; ETag = $answer.ETag }
}
# Our own object id, as the tool writes it.
function Get-ClaimOwner {
    try {
        $token = (Get-AzAccessToken -ResourceUrl $StorageAudience).Token
        if ($token -isnot [string]) { $token = [Net.NetworkCredential]::new('', $token).Password }
        $middle = $token.Split('.')[1].Replace('-', '+').Replace('_', '/')
        $middle += '=' * ((4 - $middle.Length % 4) % 4)
        return ([Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($middle)) | ConvertFrom-Json).oid
    } catch { return 'a runbook' }
}
# What follows from a claim: ended, adopt, other, waits or person.
function Get-ClaimVerdict($What, $Claim) {
    if ($Claim.Held.ended) { return 'ended' }
    if (-not $Claim.Held.job) {
        if ($Claim.Made -and ($Claim.Now - $Claim.Made).TotalSeconds -lt $What.Settle + 600) { return 'waits' }
        return 'person'
    }
    $same = $Claim.Held.recoveryPoint -eq $What.Point
    $job = Read-RestoreJob $What $Claim.Held.job
    if (-not $job -and $Claim.Made -and ($Claim.Now - $Claim.Made).TotalDays -gt 7) { return 'ended' }
    if (-not $job -or $job.status -notin 'Completed', 'CompletedWithWarnings', 'Failed', 'Cancelled') {
        return $(if ($same) { 'adopt' } else { 'other' })
    }
    $end = ConvertTo-Time $job.endTime
    if (-not $same -or ($end -and $end -lt $What.Since)) { return 'ended' }
    # What had failed when the runbook was made, or was looked at by a person, is what this trigger mends.
    if ($job.status -notlike 'Completed*' -and ($env:AFTER_JOB -eq $Claim.Held.job -or ($end -and $end -lt $What.Made))) { return 'ended' }
    return 'adopt'
}
function Stop-Unclaimed($What, $Answer, [bool]$Listed) {
    $account = $What.Account.Split('/')[-1]
    # Too busy, or no answer, is no refusal: a claim may stand there.
    if ($Answer.Status -notin 400, 401, 403, 404) {
        Stop-Runbook "whether a claim stands in storage account $account cannot be told ($($Answer.Status) $($Answer.Code)); run this step again when it answers; nothing was triggered"
    }
    if ($What.Expect -eq 'Failed' -and $Answer.Status -eq 403 -and -not $Listed) {
        $wanted = if ($Answer.Code -eq 'AuthorizationFailure') { "the account's network rules must let this address in" }
        else { 'who does this needs Storage Blob Data Reader on the account, or the right to list its keys' }
        Stop-Runbook "what the job leaves could not be read: $wanted; nothing was triggered"
    }
    if ($What.ClaimsRequired) { Stop-Runbook "Policy.spec.claims is required, and $account takes no claim; nothing was triggered" }
    Show "storage account $account takes no claim ($($Answer.Status) $($Answer.Code)): two looks are all that keeps another run from triggering this too"
}
# Ends with a claim of ours (Claim), with a job to adopt (Job), or with neither where the account takes no claims.
function Get-Guard($What, [string]$Url) {
    $listed = $false
    $script:Waited = 0
    while ($script:Waited -lt 7200) {
        $claim = Read-Claim $What $Url
        if ($claim.Refused) { Stop-Unclaimed $What $claim.Answer $listed; return @{} }
        $listed = $true
        if ($claim.Generation -ge 0) {
            $who = "claim $($claim.Name) (by $($claim.Held.by), order $($claim.Held.order))"
            $verdict = Get-ClaimVerdict $What $claim
            if ($verdict -eq 'adopt') {
                Show "$who names job $($claim.Held.job): adopted, nothing is triggered"
                return @{ Job = [string]$claim.Held.job }
            }
            if ($verdict -eq 'other') { Stop-Runbook "${who}: job $($claim.Held.job) restores the same target, from another point" }
            if ($verdict -in 'waits', 'person') {
                $job = Find-RestoreJob $What
                if ($job) { return @{ Job = $job; Claim = $claim } }
            }
            if ($verdict -eq 'waits') { Wait-For "the job of $who, which names none yet" 15; continue }
            if ($verdict -eq 'person') {
                if ($env:TAKE_OVER -notlike "$($claim.Name)=?*") {
                    Stop-Runbook "$who names no job, and should: look at the vault's restore jobs. When none is this one, say so: `$env:TAKE_OVER = '$($claim.Name)=YOUR-NAME'"
                }
                Write-ClaimNote $Url $claim 'ended' ('taken over: ' + $env:TAKE_OVER.Substring($claim.Name.Length + 1))
            }
        }
        $mine = New-Claim $What $Url ($claim.Generation + 1) $claim.Now
        if ($mine -and $mine.Refused) { Stop-Unclaimed $What $mine.Answer $listed; return @{} }
        if ($mine) { return @{ Claim = $mine } }
        Wait-For 'the claim of another run' 5
    }
    Stop-Runbook 'other runs claim and claim: look at who they are; nothing was triggered'
}
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
# The restore, adopted or triggered, followed to its end. Two looks, because Azure's job list lags; then a claim.
function Invoke-Once($What, [scriptblock]$Trigger) {
    $guard = @{}
    $url = ''
    $job = Find-RestoreJob $What
    if (-not $job) {
        $script:Waited = 0
        Wait-For 'the second look before a restore' $What.Settle
        $job = Find-RestoreJob $What
    }
    if (-not $job) {
        $url = Get-ClaimsUrl $What.Account
        $guard = Get-Guard $What $url
        $job = $guard.Job
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
