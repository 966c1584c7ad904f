/* Knows which kind carries a step out with which commands, with every id filled in. The bodies are those that the kinds
 * send. Must not know a shell, and must not decide whether a step is due. */
#include "commands.h"

static const struct {
    const char *kind;
    void (*make)(struct making *m);
} makers[] = {
    {"KeyVault", making_store},
    {"ManagedHsm", making_store},
    {"Key", making_key},
    {"DiskEncryptionSet", making_encryption_set},
    {"KeyAccess", making_grant},
    {"KeyVaultAccessPolicy", making_grant},
    {"RoleAssignment", making_grant},
    {"ManagedHsmRoleAssignment", making_grant},
    {"ProtectedVirtualMachine", making_protected_vm},
    {"RestoredVirtualMachine", making_restored_vm},
};

const struct runbook_command *runbook_commands(const struct view *v, const struct step *step, void *provider,
                                               size_t *ret_count, const char **ret_why)
{
    struct making m = {.v = v, .a = v->arena, .step = step, .doc = step->document, .provider = provider};

    for (size_t i = 0; i < COUNT(makers); i++)
        if (str_eq(makers[i].kind, m.doc->kind))
            makers[i].make(&m);
    *ret_count = m.count;
    if (!m.count)
        *ret_why = m.why ? m.why
                         : arena_printf(m.a, "no command is known for it: do by hand what the step says%s%s",
                                        step->scope ? ", on " : "", step->scope ? step->scope : "");
    return m.items;
}
