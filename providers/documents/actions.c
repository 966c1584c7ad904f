/* Knows the words and the nature of what only Azure's documents do. Must not know why a step does it, nor how. */
#include "actions.h"

enum { BUDGET_RESTORES = 1, BUDGET_EXPORTS };

const char *const budgets_own[BUDGETS_OWN] = {"restores", "exports"};

const struct action_words actions_own[ACTION_COUNT] = {
    [ACTION_EXPORT_KEY] = {"export-key", "<", .writes = true, .once = true, .budget = BUDGET_EXPORTS},
    [ACTION_RESTORE_KEY] = {"restore-key", ">", .writes = true, .brings_back = true},
    [ACTION_ESCROW_KEY] = {"escrow-key", "@", .writes = true},
    [ACTION_RESTORE_VM] = {"restore-vm", "*", .writes = true, .once = true, .budget = BUDGET_RESTORES},
    [ACTION_START_VM] = {"start-vm", "!", .writes = true, .once = true},
};
