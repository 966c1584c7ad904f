$ErrorActionPreference = 'Stop'
$Waited = 0
$Granted = $null

# What comes from Azure and from manifests is shown without what a terminal or a build log would obey.
function Get-Plain([string]$Text) {
    return (($Text -replace '[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]', '?') -replace '##', '# #') -replace '^\s*::', ': :'
}
function Show([string]$Text) { Write-Host (Get-Plain $Text) }
function Stop-Runbook([string]$Why) { throw "STOP: $Why" }
trap {
    Show "$_"
    exit 1
}

# One pause of a longer wait, which begins with $script:Waited = 0; a line a minute says that it goes on.
function Wait-For([string]$What, [int]$Seconds) {
    while ($Seconds -gt 0) {
        $now = [Math]::Min(60, $Seconds)
        Start-Sleep -Seconds $now
        $minutes = [Math]::Floor(($script:Waited + $now) / 60)
        if ($minutes -gt [Math]::Floor($script:Waited / 60)) { Show "  waiting for ${What}: $minutes min" }
        $script:Waited += $now
        $Seconds -= $now
    }
}
# What is left of the time that grants take, since the newest of this run; all of it when they were made in another.
function Wait-Grants([int]$Seconds) {
    $left = $Seconds
    if ($script:Granted) { $left = $Seconds - [int]([datetime]::UtcNow - $script:Granted).TotalSeconds }
    $script:Waited = 0
    Wait-For 'the grants to act' ([Math]::Max(0, [Math]::Min($Seconds, $left)))
}

# Times come as times or as text, by the version of PowerShell. Nothing: it cannot be read.
function ConvertTo-Time($Value) {
    if ($Value -is [datetime]) { return $Value.ToUniversalTime() }
    $time = [datetime]::MinValue
    $text = ([string]$Value -replace '\s', ' ').Trim()
    $styles = [Globalization.DateTimeStyles]'AssumeUniversal, AdjustToUniversal'
    if ($text -and [datetime]::TryParse($text, [cultureinfo]::InvariantCulture, $styles, [ref]$time)) { return $time }
}
# Who a disk encryption set acts by: its own identity, or else its first user-assigned one.
function Get-SetPrincipal($Set) {
    if ($Set.Identity.PrincipalId) { return $Set.Identity.PrincipalId }
    return @($Set.Identity.UserAssignedIdentities.Values)[0].PrincipalId
}

# A folder for key material that only you can read (0700; on Windows your user alone), and its end: overwritten, then removed.
function New-SecretFolder {
    $path = Join-Path ([IO.Path]::GetTempPath()) ([guid]::NewGuid().ToString())
    New-Item -ItemType Directory -Path $path | Out-Null
    if ($IsLinux -or $IsMacOS) { chmod 700 $path } else { icacls $path /inheritance:r /grant:r "${env:USERNAME}:(OI)(CI)F" | Out-Null }
    return $path
}
function Remove-SecretFolder([string]$Path) {
    foreach ($file in Get-ChildItem -File -Path $Path) {
        [IO.File]::WriteAllBytes($file.FullName, [byte[]]::new($file.Length))
    }
    Remove-Item -Recurse -Force -Path $Path
}

# The service's own word that there is no such thing. A status alone may be that of a gateway before it.
function Test-Absent([int]$Status, [string]$Content) {
    if ($Status -ne 404) { return $false }
    try { $code = [string]($Content | ConvertFrom-Json).error.code } catch { return $false }
    return $code -in 'ResourceNotFound', 'ResourceGroupNotFound', 'ParentResourceNotFound', 'NotFound', 'BMSUserErrorObjectNotFound', 'VaultNotFound'
}

# What is there bears all that would be written. Names are compared without case, and a place without blanks.
function Test-Holds($Have, $Wanted) {
    if ($Wanted -is [Management.Automation.PSCustomObject]) {
        if ($Have -isnot [Management.Automation.PSCustomObject]) { return $false }
        foreach ($one in $Wanted.PSObject.Properties) {
            $member = $Have.PSObject.Properties[$one.Name]
            $value = if ($member) { $member.Value } else { $null }
            if ($one.Name -ne 'createMode' -and -not (Test-Holds $value $one.Value)) { return $false }
        }
        return $true
    }
    if ($Wanted -is [array]) {
        foreach ($one in $Wanted) {
            $like = @($Have | Where-Object { Test-Holds $_ $one })
            if ($like.Count -eq 0) { return $false }
        }
        return $true
    }
    if ($null -eq $Wanted -or $Wanted -eq $false) { return -not $Have }
    return ([string]$Have -replace ' ', '') -eq ([string]$Wanted -replace ' ', '')
}
# Whether a write of Resource Manager is due. False: it is there as declared. What is there otherwise, and is not what the plan saw and
# changes (Was), is somebody's work, and stops it.
function Test-Due([string]$Path, [string]$Api, [string]$Wanted, [string]$Was) {
    $answer = Invoke-AzRestMethod -Method GET -Path "${Path}?api-version=$Api"
    if (-not $Was -and (Test-Absent $answer.StatusCode $answer.Content)) { return $true }
    if ($answer.StatusCode -ne 200) { Stop-Runbook "whether it is there cannot be seen: ${Path}: $($answer.StatusCode); nothing was written" }
    $there = $answer.Content | ConvertFrom-Json
    if (Test-Holds $there ($Wanted | ConvertFrom-Json)) {
        Show 'it is there already, as declared: nothing is written'
        return $false
    }
    if ($Was -and (Test-Holds $there ($Was | ConvertFrom-Json))) { return $true }
    $known = $there | Select-Object -Property @('id', 'location', 'tags', 'identity', 'properties')
    Show ($known | ConvertTo-Json -Depth 10 -Compress)
    Stop-Runbook 'it is there, and neither as declared nor as it was when this runbook was made (see above): nothing was written. Look who changed it; then make a new runbook, which asks for the approval that its change needs'
}

# A write of Azure Resource Manager, and its end.
function Send-Arm([string]$Method, [string]$Path, [string]$Api, [string]$Body) {
    $answer = Invoke-AzRestMethod -Method $Method -Path "${Path}?api-version=$Api" -Payload $Body -WaitForCompletion
    if ($answer.StatusCode -ge 400) { Stop-Runbook $answer.Content }
}
