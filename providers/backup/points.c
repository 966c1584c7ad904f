/* Knows what the facts of a ProtectedVirtualMachine say to those who ask: its points, its machine, its place. Pure.
 * Must not know how they were read. */
#include <stdio.h>

#include "points.h"

#include "../azure/geography.h"

int64_t protected_vm_jobs_since(const struct settings *settings, int64_t now_ms)
{
    int64_t back_ms = settings->leftover_lookback_ms > settings->export_lookback_ms ? settings->leftover_lookback_ms
                                                                                    : settings->export_lookback_ms;

    return (now_ms - back_ms) / HOUR_MS * HOUR_MS;
}

const char *jobs_older_words(const struct view *v)
{
    int64_t since_ms = protected_vm_jobs_since(v->settings, v->now_ms), days = (v->now_ms - since_ms) / DAY_MS,
            further = days < 365 ? 365 : 2 * days;

    return arena_printf(v->arena,
                        "what restore jobs before %s left is not looked at; to look further back: reinstate drift -f "
                        "... --export-lookback %lldd",
                        time_format(v->arena, since_ms), (long long)further);
}

/* Targets of all restores that are declared of this machine. */
static struct value *declared_targets(struct arena *a, const struct document *pvm)
{
    struct value *list = value_list(a);
    const struct document *rvm;
    size_t at = 0;

    while ((rvm = referrer_next(pvm, "RestoredVirtualMachine", &at))) {
        struct value *one = value_map(a);

        value_set_string(a, one, "type",
                         value_str_at(rvm->spec, "restore") ? value_str_at(rvm->spec, "restore") : "new-vm");
        value_set_string(a, one, "group", value_str_at(rvm->spec, "target.resourceGroup"));
        value_set_string(a, one, "vm", value_str_at(rvm->spec, "target.name"));
        value_push(a, list, one);
    }
    return list;
}

struct job_match protected_vm_match(const struct view *v, const struct document *pvm)
{
    return (struct job_match){
        .group = arm_id_part(v->arena, source_vm_id(v->arena, pvm), "resourceGroups"),
        .vm = value_str_at(pvm->spec, "source.name"),
        .point_ms = TIME_NONE,
        .since_ms = INT64_MAX,
        .declared = declared_targets(v->arena, pvm),
        .seen = value_get(view_facts(v, pvm), "jobs"),
    };
}

enum point_key protected_vm_point_key(const struct value *point)
{
    const struct value *told = value_get(point, "customerKey");

    return !value_is(told, VALUE_BOOL) ? POINT_KEY_UNKNOWN : told->b ? POINT_KEY_CUSTOMER : POINT_KEY_PLATFORM;
}

const struct value *protected_vm_point(const struct view *v, const struct document *pvm, const char *id)
{
    const struct value *points = value_get(view_facts(v, pvm), "points");

    for (size_t i = 0; i < value_count(points); i++)
        if (str_eq(value_str_at(value_item(points, i), "id"), id))
            return value_item(points, i);
    return NULL;
}

const char *protected_vm_point_time(const struct value *point)
{
    const char *time = value_str_at(point, "time");

    return time ? time : "an unknown time";
}

bool protected_vm_tiers_unseen(const struct value *point)
{
    return str_eq(value_str_at(point, "vault"), "unseen");
}

bool protected_vm_point_archived(const struct value *point)
{
    return str_eq(value_str_at(point, "archive"), "archived") && !str_eq(value_str_at(point, "vault"), "valid");
}

const char *protected_vm_tier_words(struct arena *a, const struct value *point)
{
    if (str_eq(value_str_at(point, "vault"), "valid"))
        return str_eq(value_str_at(point, "archive"), "rehydrated")
                   ? "vault tier, brought back from the archive, which nobody says to be supported for confidential VMs"
                   : "vault tier";
    if (str_eq(value_str_at(point, "snapshot"), "valid"))
        return "snapshot only";
    if (protected_vm_tiers_unseen(point))
        return "its tier cannot be seen: Azure does not tell it";
    if (protected_vm_point_archived(point))
        return "archive tier only: it has to be rehydrated first, and nobody says that the archive is supported for "
               "confidential VMs";
    if (value_get(point, "unknownTier"))
        return arena_printf(a, "tier %s, which is not known here", value_str_at(point, "unknownTier"));
    return "no usable tier";
}

const char *protected_vm_threat_words(struct arena *a, const struct value *point)
{
    const char *threat = value_str_at(point, "threat");

    return threat ? arena_printf(a, ", which Azure marks as %s: signs of malware", threat) : "";
}

static const struct value *newest_point(const struct view *v, const struct document *pvm, bool vault_tier)
{
    const struct value *points = value_get(view_facts(v, pvm), "points"), *best = NULL;

    for (size_t i = 0; i < value_count(points); i++) {
        const struct value *p = value_item(points, i);

        if (vault_tier && !str_eq(value_str_at(p, "vault"), "valid"))
            continue;
        if (!best || time_parse(value_str_at(p, "time")) > time_parse(value_str_at(best, "time")))
            best = p;
    }
    return best;
}

const struct value *protected_vm_newest_vault_point(const struct view *v, const struct document *pvm)
{
    return newest_point(v, pvm, true);
}

const struct value *protected_vm_newest_point(const struct view *v, const struct document *pvm)
{
    return newest_point(v, pvm, false);
}

const char *protected_vm_source_state(const struct view *v, const struct document *pvm)
{
    const struct value *source = value_get(view_facts(v, pvm), "source");
    const char *power = value_str_at(source, "power");

    if (!str_eq(value_str_at(source, "state"), "present"))
        return value_str_at(source, "state") ? value_str_at(source, "state") : "unseen";
    if (!power || str_eq_nocase(power, "unknown"))
        return "unseen";
    return vm_power_rests(power) ? "stopped" : "running";
}

const char *protected_vm_region(const struct view *v, const struct document *pvm)
{
    const struct document *vault = document_target(pvm, "spec.vault");
    const char *live = value_str_at(view_facts(v, vault), "live.location");

    return azure_region(v->arena, live ? live : kind_location(vault ? vault : pvm));
}

const char *protected_vm_absent_words(const struct view *v, const struct document *pvm)
{
    const struct document *vault = document_target(pvm, "spec.vault");

    /* What a vault holds that was not found nobody has seen. */
    if (vault && str_eq(view_state(v, vault), "absent"))
        return arena_printf(v->arena, "its Recovery Services vault %s does not exist where it is declared",
                            vault->name);
    return "the vault holds no protected item of this VM";
}

/* "[d.]hh:mm:ss[.fraction]", as .NET writes a span; -1: none. */
static int64_t span_parse(const char *s)
{
    int days = 0, hours, minutes, seconds;

    if (!s || (sscanf(s, "%d.%d:%d:%d", &days, &hours, &minutes, &seconds) != 4 &&
               (days = 0, sscanf(s, "%d:%d:%d", &hours, &minutes, &seconds) != 3)))
        return -1;
    return days < 0 || hours < 0 || minutes < 0 || seconds < 0
               ? -1
               : days * DAY_MS + hours * HOUR_MS + minutes * (int64_t)MINUTE_MS + seconds * (int64_t)SECOND_MS;
}

int64_t protected_item_ends(const struct value *item, int64_t now_ms)
{
    const struct value *p = value_get(item, "properties");
    int64_t deleted = time_parse(value_str_at(p, "deferredDeleteTimeInUTC")),
            left = span_parse(value_str_at(p, "deferredDeleteTimeRemaining")), ends = TIME_NONE;

    if (!value_bool_at(p, "isScheduledForDeferredDelete", false))
        return TIME_NONE;
    /* Where no retention is told it is taken for the shortest that a vault can have. */
    if (deleted != TIME_NONE)
        ends = deleted + value_int_at(p, "softDeleteRetentionPeriodInDays", 14) * DAY_MS;
    if (left >= 0 && (ends == TIME_NONE || now_ms + left < ends))
        ends = now_ms + left;
    return ends;
}

const char *protected_vm_not_in_vault(const struct value *point)
{
    const char *tier = value_str_at(point, "vault");

    return str_eq(tier, "gone")     ? "was in the vault tier and is not valid there any more"
           : str_eq(tier, "unseen") ? "has an unknown state in the vault tier"
                                    : "never reached the vault tier";
}
