/* impact: which VMs, disks and recovery points die with a key, its store or a disk encryption set, and what would still
 * be restorable. Reads only. */
#include "commands.h"
#include "output.h"
#include "session.h"
#include "../providers/forecast/impact.h"

/* --- text --------------------------------------------------------------------------------------------------------- */

static void write_stops(struct text *t, const struct value *impact)
{
    const struct value *stops = value_get(impact, "stops"), *keys = value_get(impact, "keys");

    text_add(t, value_count(keys) ? "Goes with it\n" : "");
    for (size_t i = 0; i < value_count(keys); i++)
        text_say(t, "  %s\n", value_str(value_item(keys, i)));
    text_add(t, value_count(stops) ? "Stops, at the latest when it starts again\n" : "");
    for (size_t i = 0; i < value_count(stops); i++) {
        const struct value *s = value_item(stops, i);

        text_say(t, "  %s %s%s\n", value_str_at(s, "kind"), value_str_at(s, "name"),
                 value_bool_at(s, "sure", true) ? "" : " (perhaps)");
    }
}

static void write_chance(struct text *t, const char *when, const struct value *chance)
{
    const struct value *path = value_get(chance, "path");
    const char *scenario = value_str_at(chance, "scenario"), *as = value_str_at(chance, "as"),
               *state = value_str_at(chance, "state");

    text_say(t, "    %-12s %s%s%s%s%s", when, scenario ? scenario : "", scenario ? " " : "",
             value_str_at(chance, "outcome"), as ? ", as declared by " : "", as ? as : "");
    text_say(t, ": %s\n", state ? state : "");
    if (str_eq(value_str_at(chance, "restorable"), "no"))
        text_say(t, "    %-12s no way back\n", "");
    for (size_t i = 0; i < value_count(path); i++)
        text_say(t, "    %-12s -> %s\n", "", value_str(value_item(path, i)));
}

static bool same_fate(const struct value *x, const struct value *y)
{
    static const char *const members[] = {"virtualMachine", "tier", "now", "then", "afterPurge"};

    for (size_t i = 0; i < COUNT(members); i++)
        if (!value_equal(value_get(x, members[i]), value_get(y, members[i])))
            return false;
    return true;
}

/* Points with one fate together. */
static void write_points(struct text *t, const struct value *impact)
{
    const struct value *points = value_get(impact, "points");

    for (size_t i = 0; i < value_count(points); i++) {
        const struct value *p = value_item(points, i);
        size_t before = 0, n = 0;

        for (size_t k = 0; k < value_count(points); k++) {
            n += same_fate(value_item(points, k), p);
            before += k < i && same_fate(value_item(points, k), p);
        }
        if (before)
            continue;
        text_add(t, i ? "" : "Recovery points that fare worse\n");
        text_say(t, "  %s, %zu point%s, %s tier:", value_str_at(p, "virtualMachine"), n, n == 1 ? "" : "s",
                 value_str_at(p, "tier"));
        for (size_t k = 0; k < value_count(points); k++)
            if (same_fate(value_item(points, k), p))
                text_say(t, " %s", value_str_at(value_item(points, k), "recoveryPoint"));
        text_add_char(t, '\n');
        write_chance(t, "now", value_get(p, "now"));
        write_chance(t, "then", value_get(p, "then"));
        if (value_get(p, "afterPurge"))
            write_chance(t, "once purged", value_get(p, "afterPurge"));
    }
}

static void write_undo(struct text *t, const struct value *undo)
{
    const char *until = value_str_at(undo, "until"), *risk = value_str_at(undo, "risk");

    text_say(t, "%s%s%s: %s%s%s\n", value_bool_at(undo, "possible", false) ? "Can be undone" : "Cannot be undone",
             until ? " until " : "", until ? until : "", value_str_at(undo, "how"), risk ? "; " : "", risk ? risk : "");
}

static void write_unseen(struct text *t, const struct value *unseen)
{
    for (size_t i = 0; i < value_count(unseen); i++)
        text_say(t, "Cannot be seen, and may need it too: %s (%s)\n  next: %s\n",
                 value_str_at(value_item(unseen, i), "document"), value_str_at(value_item(unseen, i), "why"),
                 value_str_at(value_item(unseen, i), "fix"));
}

/* Whether it ends here cannot be told: something was not seen. */
static bool is_open(const struct value *impact)
{
    return value_count(value_get(impact, "unseen")) || value_int_at(impact, "untold", 0);
}

static void write_impact(struct text *t, const struct value *impact)
{
    int64_t unaffected = value_int_at(impact, "unaffected", 0), unknown = value_int_at(impact, "unknown", 0),
            untold = value_int_at(impact, "untold", 0);
    const char *already = value_str_at(impact, "already"), *target = value_str_at(impact, "target"),
               *kind = value_str_at(impact, "kind");

    if (already)
        text_say(t, "%s (%s) %s. What hangs on it, as it stands:\n\n", target, kind, already);
    else
        text_say(t, "If %s is %sd (%s):\n\n", target, value_str_at(impact, "action"), kind);
    write_stops(t, impact);
    write_points(t, impact);
    if (!value_bool_at(impact, "dies", false) && is_open(impact))
        text_add(
            t,
            "It cannot be told whether anything dies: not all can be seen, and nothing that can be seen needs it.\n");
    else if (!value_bool_at(impact, "dies", false))
        text_add(
            t, already
                   ? "Nothing else that can be seen dies with it, and no recovery point fares worse than it does now.\n"
                   : "Nothing dies: no VM, disk or recovery point that can be seen needs it.\n");
    else if (unaffected)
        text_say(t, "%lld other recovery point%s as before\n", (long long)unaffected,
                 unaffected == 1 ? " fares" : "s fare");
    if (untold)
        text_say(t, "What becomes of %lld recovery point%s cannot be told: how %s today cannot be seen\n",
                 (long long)untold, untold == 1 ? "" : "s", untold == 1 ? "it fares" : "they fare");
    write_unseen(t, value_get(impact, "unseen"));
    if (unknown)
        text_say(t, "Of %lld recovery point%s nobody knows the key version: %s may need it too\n", (long long)unknown,
                 unknown == 1 ? "" : "s", unknown == 1 ? "it" : "they");
    write_undo(t, value_get(impact, "undo"));
}

/* --- concluding --------------------------------------------------------------------------------------------------- */

static void conclude(void *ctx, const struct view *v, enum supposing what, struct view *ret)
{
    const struct session *s = ctx;

    engine_suppose(&s->engine, s->arena, v, what, NULL, ret);
}

/* --- the command -------------------------------------------------------------------------------------------------- */

int command_impact(const struct options *o)
{
    struct session s cleanup(session_close);
    struct text t cleanup(text_release) = {0};
    struct impact_target target;
    struct look look;
    struct value *impact, *answer;
    int code;

    if (session_open(&s, o) < 0 || session_look_far(&s, s.arena, &look, &s.err) < 0 ||
        impact_target_find(&look.view, o->disable ? IMPACT_DISABLE : IMPACT_DELETE, o->disable ? o->disable : o->delete,
                           &target, &s.err) < 0)
        return session_failed(&s);
    impact = impact_of(&look.view, &target, &(struct concluder){conclude, &s});
    code = value_bool_at(impact, "dies", false) || is_open(impact) ? EXIT_DIFFERENCES : EXIT_DECLARED;
    text_init(&t, TEXT_CEILING);
    write_impact(&t, impact);
    answer = output_envelope(s.arena, o);
    value_set(s.arena, answer, "impact", impact);
    value_set_int(s.arena, answer, "exitCode", code);
    output_either(o, answer, &t);
    session_label(&s);
    return code;
}
