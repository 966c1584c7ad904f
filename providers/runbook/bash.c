/* Knows what the two bash forms have in common. Must not know how either of them asks Azure. */
#include "bash.h"

#include "../../reconciler/format/json.h"

void bash_cloud(struct text *out, const struct runbook *rb)
{
    const struct cloud *cloud = rb->cloud;

    text_printf(out, "blob_suffix=%s blob_zone_suffix=%s\n", sh(rb->arena, cloud->blob_suffix),
                sh(rb->arena, cloud->blob_zone_suffix));
    text_printf(out, "api_blob=%s api_storage=%s\n", runbook_api(rb, API_BLOB), runbook_api(rb, API_STORAGE));
}

void bash_job(struct text *out, const struct runbook *rb, const struct value *with, const char *expect)
{
    const char *target = with_str(with, "targetVm");
    int64_t point = time_parse(with_str(with, "pointTime"));

    line(out, "vm=%s source_group=%s type=%s expect=%s", sh(rb->arena, with_str(with, "vm")),
         sh(rb->arena, with_str(with, "group")), sh(rb->arena, with_str(with, "type")), expect);
    line(out, "group=%s target_vm=%s point_at=%s", sh(rb->arena, with_str(with, "targetGroup")),
         sh(rb->arena, *target ? arm_id_name(target) : ""),
         point == TIME_NONE ? "''" : arena_printf(rb->arena, "%lld", (long long)(point / SECOND_MS)));
    line(out, "since=%s made=%s account=%s", sh(rb->arena, with_str(with, "since")),
         sh(rb->arena, with_str(with, "made")), sh(rb->arena, with_str(with, "account")));
}

void bash_claim(struct text *out, const struct runbook *rb, const struct value *with)
{
    line(out, "claim=%s claims_required=%s settle=%lld", sh(rb->arena, with_str(with, "claim")),
         value_bool_at(with, "claimsRequired", false) ? "yes" : "''", (long long)value_int_at(with, "settle", 60));
    line(out, "order=%s not_after=%s point=%s", sh(rb->arena, with_str(with, "order")),
         sh(rb->arena, with_str(with, "notAfter")), sh(rb->arena, with_str(with, "point")));
    line(out, "target=%s", sh(rb->arena, with_str(with, "claimTarget")));
}

void bash_trigger(struct text *out, const struct runbook *rb, const struct value *with)
{
    const char *path =
        arena_printf(rb->arena, "%s/recoveryPoints/%s/restore", with_str(with, "item"), with_str(with, "point"));

    line(out, "trigger() {");
    line(out, "    taken=''");
    line(out, "    call ARM POST \"$arm\"%s \\",
         sh(rb->arena, arena_printf(rb->arena, "%s?api-version=%s", path_encoded(rb->arena, path),
                                    runbook_api(rb, API_RECOVERY))));
    line(out, "        %s &&", sh(rb->arena, json_string(rb->arena, value_get(with, "body"), JSON_COMPACT)));
    line(out, "        taken=yes && follow && job=$(answer .properties.jobId)");
    line(out, "}");
    line(out, "run_once");
}

bool bash_due(struct text *out, const struct runbook *rb, const struct value *with)
{
    const struct value *was = value_get(with, "was");
    const char *url = arena_printf(rb->arena, "%s%s?api-version=%s", rb->cloud->arm,
                                   path_encoded(rb->arena, with_str(with, "id")), with_str(with, "api"));

    line(out, "wanted=%s", sh(rb->arena, json_string(rb->arena, value_get(with, "body"), JSON_COMPACT)));
    if (!was && !str_eq(with_str(with, "method"), "PUT"))
        return false;
    line(out, "if due %s \"$wanted\" %s; then", sh(rb->arena, url),
         was ? sh(rb->arena, json_string(rb->arena, was, JSON_COMPACT)) : "''");
    return true;
}
