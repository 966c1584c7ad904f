/* journal verify: whether an audit record is as it was written. Knows the words of the answer;
 * the chain is run/journal.c's. */
#include <string.h>

#include "commands.h"
#include "output.h"
#include "../reconciler/run/journal.h"

static int operands_check(const struct options *o, struct err *err)
{
    if (o->operands.count == 2 && str_eq(o->operands.items[0], "verify"))
        return 0;
    if (o->operands.count && !str_eq(o->operands.items[0], "verify"))
        return err_set(err, ERR_INVALID, "a journal can be verified: reinstate journal verify FILE");
    return err_set(err, ERR_INVALID, "which journal? Give its file: reinstate journal verify FILE");
}

/* A digest that was copied in part would make any chain look cut. */
static int head_check(const char *head, struct err *err)
{
    if (!head || (strlen(head) == SHA256_HEX - 1 && strspn(head, "0123456789abcdefABCDEF") == SHA256_HEX - 1))
        return 0;
    return err_set(err, ERR_INVALID, "--head: \"%s\" is no digest of 64 hexadecimal digits", head);
}

static void tell(struct text *t, const struct options *o, const struct journal_check *check)
{
    text_printf(t, "%zu line%s, each follows from the one before it", check->lines, check->lines == 1 ? "" : "s");
    if (check->torn)
        text_printf(t, "; %zu torn by a crash", check->torn);
    text_printf(t, "\nhead %s\n", check->head);
    if (!o->head)
        text_add(t, "Lines cut off the end, or a whole chain written anew, show only against a head that was kept: "
                    "--head DIGEST.\n");
    else if (check->after)
        text_printf(t, "It stood at the given head, and %zu line%s followed.\n", check->after,
                    check->after == 1 ? "" : "s");
    else
        text_add(t, "It stands at the given head.\n");
}

int command_journal(const struct options *o)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {0};
    struct value *v = output_envelope(a, o);
    struct journal_check check = {0};
    struct err err;

    if (operands_check(o, &err) < 0 || head_check(o->head, &err) < 0 ||
        journal_verify(o->operands.items[1], o->head, &check, &err) < 0)
        return output_failure(o, NULL, &err);
    text_init(&t, TEXT_CEILING);
    tell(&t, o, &check);
    value_set_int(a, v, "lines", (int64_t)check.lines);
    value_set_int(a, v, "torn", (int64_t)check.torn);
    value_set_string(a, v, "head", check.head);
    if (o->head)
        value_set_int(a, v, "linesAfterHead", (int64_t)check.after);
    output_either(o, v, &t);
    return EXIT_DECLARED;
}
