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
    } catch { return @{ Status = 0; Content = ''; Code = ''; ETag = ''; Later = 0; Now = [datetime]::UtcNow } }
    $content = if ($answer.Content -is [byte[]]) { [Text.Encoding]::UTF8.GetString($answer.Content) } else { [string]$answer.Content }
    $now = ConvertTo-Time (@($answer.Headers['Date'])[0])
    $code = [string](@($answer.Headers['x-ms-error-code'])[0])
    if (-not $code) { $code = [regex]::Match($content, '<Code>([A-Za-z]*)<').Groups[1].Value }
    $later = [string](@($answer.Headers['Retry-After'])[0])
    return @{
        Status = [int]$answer.StatusCode; Content = $content; Code = $code; Later = $(if ($later -match '^[0-9]{1,6}$') { [int]$later } else { 0 })
        ETag = [string](@($answer.Headers['ETag'])[0]); Now = $(if ($now) { $now } else { [datetime]::UtcNow })
    }
}
# What only reads is asked again while the account is too busy, or does not answer: not sooner than it wants, for a quarter of an hour
# at most, and each wait is told.
function Send-Patient([string]$Method, [string]$Url, [hashtable]$Headers, $Body) {
    $before = $script:Waited
    $script:Waited = 0
    try {
        for ($tries = 1; ; $tries++) {
            $answer = Send-Blob $Method $Url $Headers $Body
            if ($Method -ne 'GET' -or $answer.Status -notin 0, 408, 429, 500, 502, 503, 504) { return $answer }
            $wait = if ($answer.Later) { $answer.Later } elseif ($tries -lt 6) { [int][Math]::Pow(2, $tries) } else { 60 }
            if ((-not $answer.Status -and $tries -gt 5) -or $script:Waited + $wait -gt 900) {
                # No wait of our own choice is longer than a minute.
                if ($wait -gt 60) { Show "  $($Url.Split('?')[0]): $($answer.Status); it does not answer for $wait s more: run this step then" }
                return $answer
            }
            Show "  $($Url.Split('?')[0]): $($answer.Status); asked again in $wait s"
            Wait-For 'Azure to answer' $wait
        }
    } finally { $script:Waited = $before }
}
function Invoke-Blob([string]$Method, [string]$Url, [hashtable]$Headers = @{}, $Body = $null) {
    $answer = Send-Patient $Method $Url $Headers $Body
    if (-not (Test-KeyInstead $script:Staging $answer)) { return $answer }
    $answer = Send-Patient $Method $Url $Headers $Body
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
    $renewed = ConvertTo-Time $held.renewed
    if ($renewed -and $made -and $renewed -gt $made) { $made = $renewed }
    return @{
        Refused = $false; Generation = $newest; Name = "$($What.Claim)-$newest"; Made = $made; Raw = $answer.Content; Held = $held
        ETag = $answer.ETag; Now = $answer.Now
    }
}
# A claim says that this job is the order's.
function Test-Named($What, [string]$Id) {
    $claim = Read-Claim $What (Get-ClaimsUrl $What.Account)
    return -not $claim.Refused -and $claim.Generation -ge 0 -and $claim.Held.job -eq $Id -and
        ($claim.Held.order -eq $What.Order -or $claim.Held.adoptedBy -eq $What.Order)
}
# Into a claim that is ours. Whoever was quicker has noted the same, or a person has spoken.
function Write-ClaimNote([string]$Url, $Claim, [string]$Member, [string]$Value) {
    if (-not $Claim) { return }
    $raw = if ($Claim.Held) { $Claim.Raw.TrimEnd() } else { '{}' }
    $line = (ConvertTo-Json $Member) + ':' + (ConvertTo-Json $Value)
    $there = [regex]('"' + $Member + '"\s*:\s*"[^"\\]*"')
    if ($there.IsMatch($raw)) { $raw = $there.Replace($raw, $line.Replace('$', '$$'), 1) }
    else { $raw = $raw.Substring(0, $raw.Length - 1) + $(if ($raw -match '^\{\s*\}$') { '' } else { ',' }) + $line + '}' }
    $answer = Invoke-Blob PUT "$Url/$($Claim.Name)" @{ 'x-ms-blob-type' = 'BlockBlob'; 'If-Match' = $Claim.ETag } $raw
    if ($answer.Status -eq 201) {
        $Claim.Raw = $raw
        $Claim.ETag = $answer.ETag
        $Claim.Held = $raw | ConvertFrom-Json
    } elseif ($answer.Status -ne 412) { Show "$Value could not be noted in claim $($Claim.Name): $($answer.Status)" }
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
    if ($answer.Status -in 408, 409, 412, 429, 0 -or $answer.Status -ge 500) {
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
    # Too busy, no answer, or that of a gateway before the account, is no refusal: a claim may stand there.
    if ($Answer.Status -notin 400, 401, 403, 404 -or -not $Answer.Code) {
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
                if ($claim.Held.order -ne $What.Order) { Write-ClaimNote $Url $claim 'adoptedBy' $What.Order }
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
