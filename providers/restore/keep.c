/* Knows why what restores have left is not to be removed yet, and the command that removes it. Must not look for it. */
#include "aftermath.h"

#include "../backup/order.h"
#include "../keys/lost.h"

#include <string.h>

const char *aftermath_quoted(struct arena *a, const char *s)
{
    const char *out = "'";

    for (; s && *s; s += strcspn(s, "'"), out = *s ? (s++, arena_printf(a, "%s'\\''", out)) : out)
        out = arena_printf(a, "%s%.*s", out, (int)strcspn(s, "'"), s);
    return arena_printf(a, "%s'", out);
}

const char *aftermath_resource_command(struct arena *a, const char *id)
{
    return arena_printf(a, "az resource delete --ids %s", aftermath_quoted(a, id));
}

const char *aftermath_blob_command(struct arena *a, const char *account, const char *container, const char *blob)
{
    return arena_printf(a, "az storage blob delete --auth-mode login --account-name %s --container-name %s --name %s",
                        aftermath_quoted(a, account), aftermath_quoted(a, container), aftermath_quoted(a, blob));
}

const char *aftermath_keep_export(const struct view *v, const struct document *pvm)
{
    const struct document *key = key_awaiting_export(v, pvm);

    return key ? arena_printf(v->arena, "keep this: %s is not back as declared, and the next run needs it",
                              key->address)
               : NULL;
}

const char *aftermath_keep_made(const struct view *v, const struct situation *s)
{
    /* While its own steps are made, nothing is concluded of a document yet. */
    bool done = view_prospect(v, s->doc) == PROSPECT_SATISFIED &&
                (situation_type(s->doc) != RESTORE_NEW_VM || str_eq(view_state(v, s->doc), "present"));

    return s->order.state == ORDER_IN_FORCE && !done
               ? arena_printf(v->arena, "keep this: %s is ordered and not back as declared", s->doc->address)
               : NULL;
}
