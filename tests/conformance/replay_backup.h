/* Recorded calls of Azure Backup: which of ours makes them, and what must be understood. */
#ifndef REINSTATE_REPLAY_BACKUP_H
#define REINSTATE_REPLAY_BACKUP_H

/* --- backup ------------------------------------------------------------------------------------------------------- */

static int call_job(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(backup_get_job(r->az, c, r->a, before(r->a, r->x->path, "/backupJobs/"), arm_id_name(r->x->path), &body,
                       &r->err));
    judge_job(r, body);
    return 0;
}

/* "startTime eq '2026-11-16 03:00:00 AM'" in a recorded filter. */
static int64_t filter_time(struct replay *r, const char *name, int64_t otherwise)
{
    const char *uri = decoded(r->a, r->x->uri, strlen(r->x->uri), true), *at = strstr(uri, name);
    int year, month, day, hour, minute, second;
    char half;

    if (!at || sscanf(at + strlen(name), " eq '%4d-%2d-%2d %2d:%2d:%2d %cM'", &year, &month, &day, &hour, &minute,
                      &second, &half) != 7)
        return otherwise;
    hour = hour % 12 + (half == 'P' ? 12 : 0);
    return time_parse(arena_printf(r->a, "%04d-%02d-%02dT%02d:%02d:%02dZ", year, month, day, hour, minute, second));
}

static int call_jobs(struct call *c, struct replay *r)
{
    const struct value *raw = value_get(r->x->answer, "value");
    int64_t since_ms = filter_time(r, "startTime", time_parse("2020-01-01T00:00:00Z"));
    int64_t until_ms = filter_time(r, "endTime", time_parse("2030-01-02T00:00:00Z"));
    const struct value *jobs = NULL;
    size_t want = 0;

    /* Our filter ends a day ahead of the clock. */
    TRY(backup_list_restore_jobs(r->az, c, r->a, before(r->a, r->x->path, "/backupJobs"), since_ms, until_ms - DAY_MS,
                                 &jobs, &r->err));
    for (size_t i = 0; i < value_count(raw); i++) {
        const char *operation = said(r, value_item(raw, i), "properties.operation");

        want += operation && strstr(operation, "Restore") &&
                time_parse(value_str_at(value_item(raw, i), "properties.startTime")) >= since_ms;
    }
    note(r, "restores", arena_printf(r->a, "%zu of %zu", value_count(jobs), value_count(raw)));
    if (value_count(jobs) != want)
        misread(r, "%zu restore jobs were read as %zu", want, value_count(jobs));
    for (size_t i = 0; i < value_count(jobs); i++)
        judge_job(r, value_item(jobs, i));
    return 0;
}

static int call_items(struct call *c, struct replay *r)
{
    static const char nobody[] = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/none";
    const char *vault = before(r->a, r->x->path, "/backupProtectedItems");
    const char *vm = value_str_at(r->x->answer, "value.0.properties.sourceResourceId");
    const struct value *item = NULL;

    if (backup_find_item(r->az, c, r->a, vault, vm ? vm : nobody, &item, &r->err) < 0) {
        note(r, "item", "none");
        /* An empty vault protects nothing, and that is an answer. */
        return r->err.class == ERR_NOT_FOUND && !vm && !r->err.http_status ? 0 : -(int)r->err.class;
    }
    note(r, "item", value_str_at(item, "name"));
    note(r, "state", value_str_at(item, "properties.protectionState"));
    note(r, "source", value_str_at(item, "properties.sourceResourceId"));
    note_time(r, "lastPoint", time_parse(value_str_at(item, "properties.lastRecoveryPoint")));
    note_time(r, "lastBackup", time_parse(value_str_at(item, "properties.lastBackupTime")));
    if (!arm_id_equal(value_str_at(item, "properties.sourceResourceId"), vm))
        misread(r, "the item of another VM was found");
    return 0;
}

static int call_points(struct call *c, struct replay *r)
{
    const struct value *points = NULL;

    TRY(backup_list_points(r->az, c, r->a, before(r->a, r->x->path, "/recoveryPoints"), &points, &r->err));
    for (size_t i = value_count(points); i-- > 0;)
        judge_point(r, value_item(points, i));
    count_matches(r, points);
    return 0;
}

static int call_point(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(backup_get_point(r->az, c, r->a, before(r->a, r->x->path, "/recoveryPoints/"), arm_id_name(r->x->path), &body,
                         &r->err));
    judge_point(r, body);
    return 0;
}

static int call_restore(struct call *c, struct replay *r)
{
    const struct value *p = value_get(r->x->sent, "properties");
    const char *type = value_str_at(p, "recoveryType"), *job = NULL;
    struct restore_request request = {
        .type = str_eq(type, "AlternateLocation")  ? RESTORE_NEW_VM
                : str_eq(type, "OriginalLocation") ? RESTORE_REPLACE
                                                   : RESTORE_DISKS,
        .point = value_str_at(p, "recoveryPointId"),
        .source_vm_id = value_str_at(p, "sourceResourceId"),
        .region = value_str_at(p, "region"),
        .storage_account_id = value_str_at(p, "storageAccountId"),
        .target_group_id = value_str_at(p, "targetResourceGroupId"),
        .target_vm_id = value_str_at(p, "targetVirtualMachineId"),
        .subnet_id = value_str_at(p, "subnetId"),
        .des_id = value_str_at(p, "securedVMDetails.securedVMOsDiskEncryptionSetId"),
        .zone = value_str_at(p, "zones.0"),
        .disk_luns = value_get(p, "restoreDiskLunList"),
    };

    note(r, "poll", header_of(r->x, "azure-asyncoperation"));
    TRY(backup_trigger_restore(r->az, c, r->a, before(r->a, r->x->path, "/recoveryPoints/"), &request, &job, &r->err));
    note(r, "job", job);
    if (!str_eq(job, value_str_at(last_answer(r), "properties.jobId")))
        misread(r, "the job was read as %s", job);
    return 0;
}

static int call_operation(struct call *c, struct replay *r)
{
    struct value *body = NULL;

    TRY(arm_get(r->az, c, r->a, r->x->path, API_RECOVERY, &body, &r->err));
    judge_poll(r, r->x, true);
    return r->rc;
}

#endif
