$ErrorActionPreference = 'Stop'

function Stop-Runbook([string]$Why) { throw "STOP: $Why" }

# The newest restore job of this VM, type and target group that runs or is done; with -Expect Failed also one that failed and
# left a key. Nothing: none.
function Find-RestoreJob($Vault, [string]$Vm, [string]$Type, [string]$Group, [datetime]$Since, [datetime]$Until, [string]$Expect) {
    $all = Get-AzRecoveryServicesBackupJob -From $Since -To $Until -Operation Restore -BackupManagementType AzureVM -VaultId $Vault.ID
    foreach ($one in @($all | Where-Object { $_.WorkloadName -eq $Vm } | Sort-Object StartTime -Descending)) {
        $detail = Get-AzRecoveryServicesBackupJobDetail -Job $one -VaultId $Vault.ID
        $bag = $detail.Properties
        if ($bag['Job Type'] -and $bag['Job Type'] -ne $Type) { continue }
        if ($Group -and $bag['Target resource group'] -and $bag['Target resource group'] -ne $Group) { continue }
        $left = $Expect -eq 'Failed' -and $one.Status -eq 'Failed' -and $bag['Secured Encryption Info Blob Name']
        if ($left -or $one.Status -in 'InProgress', 'Cancelling', 'Completed', 'CompletedWithWarnings') {
            Write-Host "job $($one.JobId): $($one.Status), recovery point of $($bag['Recovery point time '])"
            return $one
        }
    }
}

# Follows a restore job to its end, which must be the one expected.
function Wait-RestoreJob($Vault, $Job, [string]$Expect) {
    while ($Job.Status -in 'InProgress', 'Cancelling') {
        Start-Sleep -Seconds 30
        $Job = Get-AzRecoveryServicesBackupJob -JobId $Job.JobId -VaultId $Vault.ID
    }
    Write-Host "job $($Job.JobId) ended $($Job.Status)"
    $detail = Get-AzRecoveryServicesBackupJobDetail -Job $Job -VaultId $Vault.ID
    if ($Expect -eq 'Failed' -and $Job.Status -ne 'Failed') { Stop-Runbook 'the key was fine after all: plan again, and keep the disks' }
    if ($Expect -eq 'Failed' -and -not $detail.Properties['Secured Encryption Info Blob Name']) { Stop-Runbook 'the job left no key' }
    if ($Expect -eq 'Completed' -and $Job.Status -notlike 'Completed*') { Stop-Runbook "the restore failed: $($detail.ErrorDetails.ErrorMessage)" }
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

# A write of Azure Resource Manager, and its end.
function Send-Arm([string]$Method, [string]$Path, [string]$Api, [string]$Body) {
    $answer = Invoke-AzRestMethod -Method $Method -Path "${Path}?api-version=$Api" -Payload $Body -WaitForCompletion
    if ($answer.StatusCode -ge 400) { Stop-Runbook $answer.Content }
}
