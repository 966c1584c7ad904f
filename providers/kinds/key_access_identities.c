/* Knows which identities of one principal lack something, and how a step names those that it grants. Must not know what
 * they lack. */
#include "key_access.h"

#include "../access/grant.h"

void key_access_lacking(struct arena *a, struct value *p, const struct value *judged, size_t at)
{
    const struct value *grants = value_get(judged, "grants");
    struct value *lacking = value_get(p, "lacking"), *one = value_map(a);

    if (!value_str_at(judged, "objectId") || !value_count(grants ? grants : value_get(judged, "missing")))
        return;
    lacking = lacking ? lacking : value_set(a, p, "lacking", value_list(a));
    value_set_string(a, one, "objectId", value_str_at(judged, "objectId"));
    value_set_int(a, one, "at", (int64_t)at);
    if (grants)
        value_link(a, one, "grants", grants);
    value_push(a, lacking, one);
}

void key_access_identities(const struct view *v, struct steps *out, struct step *step, const struct value *p, bool anew)
{
    const struct value *lacking = value_get(p, "lacking"), *further = value_get(p, "further");
    const char *object_id = value_str_at(p, "objectId"), *several = "nobody says by which of several identities a set "
                                                                    "acts";
    size_t before = anew ? 1 : 0;

    if (anew || !object_id)
        step_change(out, step, grant_identity_path(v->arena, 0), NULL, value_unknown(v->arena), NULL);
    else if (!value_count(lacking))
        step_change(out, step, grant_identity_path(v->arena, 0), NULL, value_string(v->arena, object_id), NULL);
    for (size_t i = 0; i < value_count(lacking); i++) {
        const struct value *one = value_item(lacking, i);
        size_t at = (size_t)value_int_at(one, "at", 0) + before;

        step_change(out, step, grant_identity_path(v->arena, at), NULL,
                    value_string(v->arena, value_str_at(one, "objectId")), at ? several : NULL);
    }
    for (size_t i = 0; !value_count(lacking) && object_id && !anew && i < value_count(further); i++)
        step_change(out, step, grant_identity_path(v->arena, i + 1), NULL, value_item(further, i), several);
}
