# shellcheck shell=bash

# read_job ID: one, into $work/body; 3: Azure says that there is no such job.
read_job() {
    ask ARM GET "$arm$vault/backupJobs/$1?api-version=$api_backup" && return
    ! absent || return 3
    return 1
}
