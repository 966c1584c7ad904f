/* Knows when a machine's protected item tells all that a look needs of its recovery points, so that their list, a read
 * for each machine, is saved. Must not know what is concluded from either. */
#include "protected_vm_brief.h"

#include "../azure/bulk.h"
#include "../azure/shared.h"
#include "../backup/order.h"

static bool ordered(const struct observer *o)
{
    const struct document *rvm;
    size_t at = 0;

    while ((rvm = referrer_next(o->document, "RestoredVirtualMachine", &at)))
        if (order_for(o->view, rvm).state != ORDER_NONE)
            return true;
    return false;
}

static bool protection_runs(const struct value *item)
{
    const struct value *p = value_get(item, "properties");

    return str_eq_nocase(value_str_at(p, "protectionState"), "Protected") &&
           !value_bool_at(p, "isScheduledForDeferredDelete", false) &&
           time_parse(value_str_at(p, "lastRecoveryPoint")) != TIME_NONE;
}

int protected_vm_item_will_do(struct call *c, const struct observer *o, struct azure *az, const struct value *item,
                              bool *ret, struct err *err)
{
    const struct value *source;

    *ret = false;
    /* An order names a point, and tiers are known of points alone. */
    if (!o->near || value_at(o->document->spec, "readiness.newestVaultPoint") || !protection_runs(item) || ordered(o))
        return 0;
    /* Of a machine that is gone its points are all there is. */
    if (bulk_get(az, c, o->arena,
                 &(struct arm_wanted){.path = source_vm_id(o->arena, o->document),
                                      .api = API_COMPUTE,
                                      .since_ms = call_span_ms(c) - SHARED_FRESH_MS},
                 &source, err) < 0)
        return err->class == ERR_CANCELLED ? -(int)err->class : 0;
    *ret = true;
    return 0;
}

struct value *protected_vm_brief_points(struct arena *a, const struct value *item)
{
    struct value *points = value_list(a), *newest = value_map(a);

    value_set_string(a, newest, "time", time_format(a, time_parse(value_str_at(item, "properties.lastRecoveryPoint"))));
    value_set_string(a, newest, "snapshot", "unseen");
    value_set_string(a, newest, "vault", "unseen");
    value_push(a, points, newest);
    return points;
}
