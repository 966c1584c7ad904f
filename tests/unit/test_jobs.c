/* Which jobs are taken for an order's own. */
#include "../harness.h"

#include "../../providers/backup/jobs.h"
#include "../../reconciler/base/clock.h"

#define POINT "2026-11-13T20:01:03Z"

/* The order asks for disks from POINT since 03:00. */
static const struct {
    const char *what, *vm, *state, *start, *end, *type, *point;
    bool ours;
} rows[] = {
    {"a job of the order", "vm", "running", "2026-11-23T03:01:00Z", NULL, "disks", POINT, true},
    {"of another VM", "vm-2", "running", "2026-11-23T03:01:00Z", NULL, "disks", POINT, false},
    {"of another point", "vm", "running", "2026-11-23T03:01:00Z", NULL, "disks", "2026-11-14T20:01:03Z", false},
    {"of another type", "vm", "running", "2026-11-23T03:01:00Z", NULL, "new-vm", POINT, false},
    {"ended before the order", "vm", "completed", "2026-11-23T02:01:00Z", "2026-11-23T02:59:00Z", "disks", POINT,
     false},
    {"begun before, ended within", "vm", "completed", "2026-11-23T02:59:00Z", "2026-11-23T03:20:00Z", "disks", POINT,
     false},
    {"begun before, and does not say when", "vm", "completed", NULL, "2026-11-23T03:20:00Z", "disks", POINT, false},
    {"begun at the order's first moment", "vm", "completed", "2026-11-23T03:00:00Z", "2026-11-23T03:20:00Z", "disks",
     POINT, true},
    {"begun before, still running", "vm", "running", "2026-11-23T02:59:00Z", NULL, "disks", POINT, true},
    {"runs, and does not say what", "vm", "running", "2026-11-23T03:01:00Z", NULL, "unknown", NULL, false},
    {"runs, and says another point", "vm", "running", "2026-11-23T03:01:00Z", NULL, "unknown", "2026-11-14T20:01:03Z",
     false},
    {"is over, and never said what", "vm", "completed", "2026-11-23T03:01:00Z", "2026-11-23T03:20:00Z", "unknown", NULL,
     false},
};

static bool matches(struct arena *a, size_t i, int64_t since_ms)
{
    const struct job_match match = {
        .group = "rg", .vm = "vm", .type = RESTORE_DISKS, .point_ms = time_parse(POINT), .since_ms = since_ms};
    struct value *job = value_map(a), *jobs = value_list(a);

    value_set_string(a, job, "vm", rows[i].vm);
    value_set_string(a, job, "sourceVm", rows[i].vm);
    value_set_string(a, job, "sourceGroup", "rg");
    value_set_string(a, job, "state", rows[i].state);
    value_set_string(a, job, "start", rows[i].start);
    value_set_string(a, job, "end", rows[i].end);
    value_set_string(a, job, "type", rows[i].type);
    value_set_string(a, job, "point", rows[i].point);
    value_push(a, jobs, job);
    return value_count(jobs_matching(a, jobs, &match)) == 1;
}

/* The order asks for a new VM rg-dr/vm-r from POINT since 03:00. What stands against its trigger, though it is none
 * of its jobs. */
static const struct {
    const char *what, *group, *vm, *state, *type, *point, *text, *target;
    bool runs, stands;
} standing[] = {
    {"a job of the order", "rg", "vm", "running", "new-vm", POINT, NULL, "vm-r", true, false},
    {"to another target", "rg", "vm", "running", "new-vm", POINT, NULL, "vm-2", true, true},
    {"of another point", "rg", "vm", "running", "new-vm", "2026-11-14T20:01:03Z", NULL, "vm-r", true, true},
    {"of disks", "rg", "vm", "running", "disks", POINT, NULL, "vmName", true, true},
    {"does not say what it does yet", "rg", "vm", "running", "unknown", NULL, NULL, NULL, true, true},
    {"does not say whose it is", NULL, "vm", "running", "new-vm", POINT, NULL, "vm-r", true, true},
    {"of another name, and no more is said", NULL, "vm-2", "running", "new-vm", POINT, NULL, "vm-r", true, false},
    {"of the same name in another group", "rg-2", "vm", "running", "new-vm", POINT, NULL, "vm-r", true, false},
    {"in a state that nobody knows", "rg", "vm", "unknown", "new-vm", "2026-11-14T20:01:03Z", NULL, "vm-r", true, true},
    {"completed to another target", "rg", "vm", "completed", "new-vm", POINT, NULL, "vm-2", false, true},
    {"completed to a target that is declared", "rg", "vm", "completed", "new-vm", POINT, NULL, "vm-declared", false,
     false},
    {"failed on another target", "rg", "vm", "failed", "new-vm", POINT, NULL, "vm-2", false, false},
    {"disks completed", "rg", "vm", "completed", "disks", POINT, NULL, "vmName", false, false},
    {"completed from an unreadable point", "rg", "vm", "completed", "new-vm", NULL, "13 nov. 2026", "vm-r", false,
     true},
    {"failed from an unreadable point", "rg", "vm", "failed", "new-vm", NULL, "13 nov. 2026", "vm-r", false, true},
    {"completed, and does not say what", "rg", "vm", "completed", "unknown", POINT, NULL, NULL, false, true},
    {"completed, and does not say whose", NULL, "vm", "completed", "new-vm", POINT, NULL, "vm-r", false, true},
};

static void test_standing(struct arena *a)
{
    struct value *declared = value_list(a), *target = value_map(a);
    const struct job_match match = {
        .group = "rg",
        .vm = "vm",
        .type = RESTORE_NEW_VM,
        .point_ms = time_parse(POINT),
        .target_group = "rg-dr",
        .target_vm = "vm-r",
        .since_ms = time_parse("2026-11-23T03:00:00Z"),
        .declared = declared,
    };

    value_set_string(a, target, "type", "new-vm");
    value_set_string(a, target, "group", "rg-dr");
    value_set_string(a, target, "vm", "vm-declared");
    value_push(a, declared, target);
    for (size_t i = 0; i < COUNT(standing); i++) {
        struct value *job = value_map(a), *jobs = value_list(a);
        const char *why;

        value_set_string(a, job, "vm", standing[i].vm);
        if (standing[i].group) {
            value_set_string(a, job, "sourceVm", standing[i].vm);
            value_set_string(a, job, "sourceGroup", standing[i].group);
        }
        value_set_string(a, job, "state", standing[i].state);
        value_set_string(a, job, "start", "2026-11-23T03:01:00Z");
        value_set_string(a, job, "end", standing[i].runs ? NULL : "2026-11-23T03:20:00Z");
        value_set_string(a, job, "type", standing[i].type);
        value_set_string(a, job, "point", standing[i].point);
        value_set_string(a, job, "pointText", standing[i].text);
        value_set_string(a, job, "targetVm", standing[i].target);
        value_set_string(a, job, "targetGroup", standing[i].target ? "rg-dr" : NULL);
        value_push(a, jobs, job);
        CHECK_ROW(standing[i].what, (job_standing(jobs, &match, standing[i].runs, &why) != NULL) == standing[i].stands);
        CHECK_ROW(standing[i].what, !job_standing(jobs, &match, !standing[i].runs, &why));
    }
}

/* What a claim tells of a job fills in what the job does not say, and changes nothing that it does say. */
static void test_complete(struct arena *a)
{
    struct value *job = value_map(a), *known = value_map(a);

    value_set_string(a, job, "type", "unknown");
    value_set_string(a, job, "pointText", "13 nov. 2026");
    value_set_string(a, job, "targetVm", "vm-r");
    value_set_string(a, known, "type", "new-vm");
    value_set_string(a, known, "point", POINT);
    value_set_string(a, known, "targetVm", "vm-other");
    CHECK(!job_says_all(job));
    job_complete(a, job, NULL);
    CHECK(!job_says_all(job));
    job_complete(a, job, known);
    CHECK(job_says_all(job));
    CHECK_STR(value_str_at(job, "point"), POINT);
    CHECK_STR(value_str_at(job, "type"), "new-vm");
    CHECK_STR(value_str_at(job, "targetVm"), "vm-r");
}

/* What a run that takes a job over still has to wait for. */
static void test_remaining(struct arena *a)
{
    struct value *job = value_map(a);
    int64_t start = time_parse("2026-11-23T03:00:00Z");

    CHECK(job_remaining_ms(NULL, 48 * MINUTE_MS, start) == 48 * MINUTE_MS);
    CHECK(job_remaining_ms(job, 48 * MINUTE_MS, start) == 48 * MINUTE_MS);
    value_set_string(a, job, "start", "2026-11-23T03:00:00Z");
    CHECK(job_remaining_ms(job, 48 * MINUTE_MS, start + 20 * MINUTE_MS) == 28 * MINUTE_MS);
    CHECK(job_remaining_ms(job, 48 * MINUTE_MS, start + 2 * HOUR_MS) == MINUTE_MS);
    CHECK(job_remaining_ms(job, 48 * MINUTE_MS, start - MINUTE_MS) == 48 * MINUTE_MS);
    CHECK(job_remaining_ms(job, -1, start + MINUTE_MS) == -1);
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    test_standing(a);
    test_complete(a);
    test_remaining(a);

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].what, matches(a, i, time_parse("2026-11-23T03:00:00Z")) == rows[i].ours);
        CHECK_ROW(rows[i].what, !matches(a, i, INT64_MAX));
    }
    HARNESS_END();
}
