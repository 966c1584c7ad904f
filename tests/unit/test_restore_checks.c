/* What is known of sizes and objections without asking anybody. */
#include "../harness.h"

#include "../../providers/kinds/restore_place.h"

static const struct {
    const char *size;
    enum vm_fit fit;
} sizes[] = {
    {"Standard_DC4ads_v6", VM_FIT_CONFIDENTIAL},
    {"Standard_DC2es_v6", VM_FIT_CONFIDENTIAL},
    {"Standard_EC96as_cc_v6", VM_FIT_CONFIDENTIAL},
    {"standard_ec8eds_v6", VM_FIT_CONFIDENTIAL},
    {"Standard_DC4ads_v5", VM_FIT_OLDER},
    {"Standard_EC4as_cc_v5", VM_FIT_OLDER},
    {"Standard_DC2s_v2", VM_FIT_ORDINARY},
    {"Standard_DC4ds_v3", VM_FIT_ORDINARY},
    {"Standard_D4s_v5", VM_FIT_ORDINARY},
    {"Standard_B2ms", VM_FIT_ORDINARY},
    {"Standard_DC4ads", VM_FIT_UNKNOWN},
    {"Basic_A1", VM_FIT_UNKNOWN},
    {"", VM_FIT_UNKNOWN},
    {NULL, VM_FIT_UNKNOWN},
};

static void check_sizes(void)
{
    for (size_t i = 0; i < COUNT(sizes); i++)
        CHECK_ROW(sizes[i].size ? sizes[i].size : "(none)", vm_size_fit(sizes[i].size) == sizes[i].fit);
}

static void check_objections(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *own = value_map(a), *advice = value_list(a);
    const char *both;

    CHECK(restore_objects_to_key("UserErrorDiskEncryptionSetKeyDoesNotExist"));
    CHECK(restore_objects_to_key("UserErrorDiskEncryptionSetDoesNotExist"));
    CHECK(restore_objects_to_key("UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK"));
    CHECK(!restore_objects_to_key("UserErrorCoreCountSubscriptionQuotaReached"));
    CHECK(!restore_objects_to_key("UserErrorNobodyHasSeen") && !restore_objects_to_key(NULL));
    value_set_string(a, own, "code", "UserErrorNobodyHasSeen");
    CHECK(strstr(restore_objection_advice(a, own), "not in the table of errors") != NULL);
    value_push(a, advice, value_string(a, "Ask support."));
    value_set(a, own, "recommendations", advice);
    CHECK_STR(restore_objection_advice(a, own), "Ask support.");
    value_set_string(a, own, "code", "UserErrorCoreCountSubscriptionQuotaReached");
    both = restore_objection_advice(a, own);
    CHECK(strstr(both, "quota") != NULL && strstr(both, "(Azure: Ask support.)") != NULL);
}

static void check_export(void)
{
    static const struct {
        struct obstacle o;
        bool also;
    } rows[] = {
        {{"staging-region", true, "", ""}, true},  {{"item-deleted", true, "", ""}, true}, {{"guarded", true, "", ""}, true},
        {{"staging-crowd", false, "", ""}, false}, {{"size", true, "", ""}, false},        {{"subnet", true, "", ""}, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].o.id, obstacle_for_export(&rows[i].o) == rows[i].also);
}

int main(void)
{
    check_sizes();
    check_objections();
    check_export();
    HARNESS_END();
}
