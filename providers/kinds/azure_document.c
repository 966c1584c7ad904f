/* Kind Azure: a cloud, a tenant, a subscription. Nothing is ever changed there; observing shows who we are. */
#include "../documents/places.h"
#include "../documents/common.h"

static int observe(struct call *c, const struct observer *o, struct value **ret, struct err *err)
{
    struct value *facts = facts_new(o->arena, "present");
    const char *self;

    TRY(azure_object_id(kind_azure(o->provider, o->document), c, &self, err));
    value_set_string(o->arena, facts, "self", self);
    *ret = facts;
    return 0;
}

const struct kind azure_kind = {
    .name = "Azure",
    .summary =
        "A built-in cloud, a tenant and a subscription; the identity used is the operator's, not the manifest's.",
    .check = places_check,
    .observe = observe,
};
