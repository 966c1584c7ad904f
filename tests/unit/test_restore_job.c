/* Which jobs are taken for an order's own. */
#include "../harness.h"

#include "../../providers/kinds/restore_job.h"
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
    {"ended before the order", "vm", "completed", "2026-11-23T02:01:00Z", "2026-11-23T02:59:00Z", "disks", POINT, false},
    {"begun before, ended within", "vm", "completed", "2026-11-23T02:59:00Z", "2026-11-23T03:20:00Z", "disks", POINT, true},
    {"begun before, still running", "vm", "running", "2026-11-23T02:59:00Z", NULL, "disks", POINT, true},
    {"runs, and does not say what", "vm", "running", "2026-11-23T03:01:00Z", NULL, "unknown", NULL, true},
    {"runs, and says another point", "vm", "running", "2026-11-23T03:01:00Z", NULL, "unknown", "2026-11-14T20:01:03Z", false},
    {"is over, and never said what", "vm", "completed", "2026-11-23T03:01:00Z", "2026-11-23T03:20:00Z", "unknown", NULL, false},
};

static bool matches(struct arena *a, size_t i, int64_t since_ms)
{
    const struct job_match match = {.vm = "vm", .type = RESTORE_DISKS, .point_ms = time_parse(POINT), .since_ms = since_ms};
    struct value *job = value_map(a), *jobs = value_list(a);

    value_set_string(a, job, "vm", rows[i].vm);
    value_set_string(a, job, "state", rows[i].state);
    value_set_string(a, job, "start", rows[i].start);
    value_set_string(a, job, "end", rows[i].end);
    value_set_string(a, job, "type", rows[i].type);
    value_set_string(a, job, "point", rows[i].point);
    value_push(a, jobs, job);
    return value_count(jobs_matching(a, jobs, &match)) == 1;
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    for (size_t i = 0; i < COUNT(rows); i++) {
        CHECK_ROW(rows[i].what, matches(a, i, time_parse("2026-11-23T03:00:00Z")) == rows[i].ours);
        CHECK_ROW(rows[i].what, !matches(a, i, INT64_MAX));
    }
    HARNESS_END();
}
