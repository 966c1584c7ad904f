/* A page of 1,000 machines as Resource Manager lists them: parsed, and each compared with what is declared of it. */
#include "harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/model/diff.h"
#include "figure.h"

enum { MACHINES = 1000, TIMES = 20 };

static const char machine[] =
    "{\"name\":\"vm-%d\",\"id\":\"/subscriptions/a0000000-0000-4000-8000-0000000000aa/resourceGroups/RG-WORK/providers/"
    "Microsoft.Compute/virtualMachines/vm-%d\",\"type\":\"Microsoft.Compute/"
    "virtualMachines\",\"location\":\"uaenorth\","
    "\"tags\":{\"app\":\"payroll\"},\"properties\":{\"vmId\":\"b0000000-0000-4000-8000-00000000%04d\","
    "\"hardwareProfile\":"
    "{\"vmSize\":\"Standard_DC2as_v5\"},\"provisioningState\":\"Succeeded\",\"securityProfile\":{\"securityType\":"
    "\"ConfidentialVM\",\"uefiSettings\":{\"secureBootEnabled\":true,\"vTpmEnabled\":true}},\"osProfile\":{"
    "\"computerName\":"
    "\"vm-%d\",\"secrets\":[],\"allowExtensionOperations\":true},\"storageProfile\":{\"dataDisks\":[],\"osDisk\":{"
    "\"osType\":"
    "\"Linux\",\"name\":\"vm-%d_os\",\"createOption\":\"FromImage\",\"managedDisk\":{\"storageAccountType\":\"Premium_"
    "LRS\","
    "\"id\":\"/subscriptions/a0000000-0000-4000-8000-0000000000aa/resourceGroups/RG-WORK/providers/Microsoft.Compute/"
    "disks/"
    "vm-%d_os\",\"securityProfile\":{\"securityEncryptionType\":\"DiskWithVMGuestState\",\"diskEncryptionSet\":{\"id\":"
    "\"/subscriptions/a0000000-0000-4000-8000-0000000000aa/resourceGroups/rg-work/providers/Microsoft.Compute/"
    "diskEncryptionSets/des-1\"}}}}},\"networkProfile\":{\"networkInterfaces\":[{\"id\":\"/subscriptions/"
    "a0000000-0000-4000-8000-0000000000aa/resourceGroups/rg-work/providers/Microsoft.Network/networkInterfaces/"
    "nic\"}]}}}";

static const struct {
    const char *path, *want;
} declared[] = {
    {"location", "UAE North"},
    {"properties.hardwareProfile.vmSize", "standard_dc2as_v5"},
    {"properties.securityProfile.securityType", "ConfidentialVM"},
    {"properties.storageProfile.osDisk.managedDisk.securityProfile.securityEncryptionType", "DiskWithVMGuestState"},
    {"tags.app", "ledger"},
};

static size_t differences(const struct value *page, struct value *const *wanted)
{
    const struct value *items = value_get(page, "value");
    size_t n = 0;

    for (size_t i = 0; i < value_count(items); i++)
        for (size_t k = 0; k < COUNT(declared); k++)
            n += !diff_same(wanted[k], value_at(value_item(items, i), declared[k].path), DIFF_LOCATION | DIFF_NOCASE);
    return n;
}

int main(void)
{
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    double before, each_us;
    struct arena *kept cleanup(arena_freep) = arena_new();
    struct value *wanted[COUNT(declared)];
    char beside[80];
    size_t found = 0;

    for (size_t k = 0; k < COUNT(declared); k++)
        wanted[k] = value_string(kept, declared[k].want);

    text_add(&t, "{\"value\":[");
    for (int i = 0; i < MACHINES; i++) {
        text_add(&t, i ? "," : "");
        text_printf(&t, machine, i, i, i, i, i, i);
    }
    text_add(&t, "]}");
    before = processor_s(RUSAGE_SELF);
    for (int i = 0; i < TIMES; i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        struct value *page;
        struct err err;

        if (json_parse(a, text_str(&t), t.len, &page, &err) < 0)
            return 1;
        found += differences(page, wanted);
    }
    each_us = (processor_s(RUSAGE_SELF) - before) * 1e6 / TIMES / MACHINES;
    snprintf(beside, sizeof(beside), "%zu bytes a machine, 5 fields compared", t.len / MACHINES);
    figure("a machine of a listed page: parse and compare", found == TIMES * MACHINES ? each_us : 1e9, "us", true, 20,
           beside);
    return 0;
}
