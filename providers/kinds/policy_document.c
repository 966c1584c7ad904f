/* Kind Policy: rules over steps. The engine is handed them compiled; as a kind it has nothing to do. */
#include "../documents/common.h"

const struct kind policy_kind = {
    .name = "Policy",
    .summary =
        "Rules that judge every step: allow, warn, require approval, observe only, deny; allowed actions and budgets.",
};
