/* Knows which rights the requests of a connection took, and how each was answered. Must not know why they were sent. */
#include "asked.h"

#include "../../reconciler/base/index.h"
#include "internal.h"

struct asked {
    struct arena *arena;
    struct index *by_name;
    struct right_asked **items;
    size_t count;
};

struct asked *asked_new(void)
{
    struct arena *a = arena_new();
    struct asked *asked = arena_new_of(a, struct asked);

    *asked = (struct asked){.arena = a, .by_name = index_new(a, INDEX_NOCASE)};
    return asked;
}

void asked_free(struct asked *asked)
{
    if (asked)
        arena_free(asked->arena);
}

static struct right_asked *entry_of(struct asked *asked, struct arena *scratch, const struct asked_right *r)
{
    const char *name = arena_printf(scratch, "%s|%s", r->scope, r->action);
    struct right_asked *one = index_get(asked->by_name, name);

    if (one)
        return one;
    one = arena_new_of(asked->arena, struct right_asked);
    one->right = (struct asked_right){.scope = arena_strdup(asked->arena, r->scope),
                                      .action = arena_strdup(asked->arena, r->action),
                                      .data = r->data,
                                      .unlisted = r->unlisted};
    index_put(asked->by_name, arena_strdup(asked->arena, name), one);
    arena_push(asked->arena, asked->items, asked->count, one);
    return one;
}

/* Whether the service refuses for want of a right: a firewall and a broken token refuse as well, and mean no role. */
static bool for_want_of_right(const struct err *err)
{
    const struct azure_error *known = azure_error_find(err->code);

    return err->http_status == 403 && known && known->cure == CURE_PERMISSION;
}

void asked_answered(struct asked *asked, enum audience audience, const struct http_request *request,
                    const struct err *err)
{
    struct arena *scratch cleanup(arena_freep) = arena_new();
    struct right_asked *one;
    struct asked_right right;

    if (!asked_right_of(scratch, audience, request->method, request->url, &right))
        return;
    one = entry_of(asked, scratch, &right);
    if (!err || err->class == ERR_NOT_FOUND) {
        one->held++;
        return;
    }
    if (for_want_of_right(err))
        one->refused++;
    else
        one->unanswered++;
    /* Once: a watch that is refused the same for weeks must not grow by it. */
    one->why = one->why ? one->why : arena_strdup(asked->arena, err->text);
}

const struct right_asked *const *asked_items(const struct asked *asked, size_t *ret_count)
{
    *ret_count = asked->count;
    return (const struct right_asked *const *)asked->items;
}
