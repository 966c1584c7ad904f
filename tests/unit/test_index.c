/* Things found by name: as many as an estate has, alike names in the order in which they were put,
 * capitals as Azure takes them. */
#include "harness.h"

#include "../../reconciler/base/index.h"

enum { MANY = 5000 };

static void many_names(struct arena *a)
{
    struct index *x = index_new(a, INDEX_EXACT);
    static int things[MANY];
    size_t wrong = 0;

    for (size_t i = 0; i < MANY; i++)
        index_put(x, arena_printf(a, "vm-%zu", i), &things[i]);
    for (size_t i = 0; i < MANY; i++)
        wrong += index_get(x, arena_printf(a, "vm-%zu", i)) != &things[i];
    CHECK(wrong == 0);
    CHECK(index_get(x, "vm-5000") == NULL);
    CHECK(index_get(x, "VM-1") == NULL);
    CHECK(index_get(x, "") == NULL);
    CHECK(index_get(x, NULL) == NULL);
    CHECK(index_get(NULL, "vm-1") == NULL);
}

static void alike_names(struct arena *a)
{
    struct index *x = index_new(a, INDEX_NOCASE);
    int first, second, third, other;
    const struct index_entry *e;

    index_put(x, "/Vaults/rsv", &first);
    index_put(x, NULL, &other);
    index_put(x, "/vaults/RSV", &second);
    for (size_t i = 0; i < 100; i++)
        index_put(x, arena_printf(a, "between-%zu", i), &other);
    index_put(x, "/VAULTS/rsv", &third);
    e = index_find(x, "/vaults/rsv");
    CHECK(e && e->thing == &first);
    e = e ? e->next : NULL;
    CHECK(e && e->thing == &second);
    e = e ? e->next : NULL;
    CHECK(e && e->thing == &third && !e->next);
    CHECK(index_get(x, "/vaults/rsv/") == NULL);
}

static void folded_names(struct arena *a)
{
    struct index *x = index_new(a, INDEX_NOCASE);
    int umlaut, greek;

    index_put(x, "gruppe-\xc3\x96st", &umlaut);
    index_put(x, "\xce\xb1-rg", &greek);
    CHECK(index_get(x, "GRUPPE-\xc3\xb6ST") == &umlaut);
    CHECK(index_get(x, "\xce\x91-RG") == &greek);
    CHECK(index_get(x, "gruppe-\xc3\x84st") == NULL);
}

static void count_release(void *what)
{
    ++*(int *)what;
}

/* What is kept is released with the arena, once for every time, and not before. */
static void kept_elsewhere(void)
{
    struct arena *a = arena_new(), *b = arena_new();
    int released = 0, other = 0;

    arena_keep(a, count_release, &released);
    arena_keep(a, count_release, &released);
    arena_keep(b, count_release, &other);
    arena_alloc(a, 100000);
    CHECK(released == 0);
    arena_free(a);
    CHECK(released == 2 && other == 0);
    arena_free(b);
    CHECK(other == 1);
}

int main(void)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    many_names(a);
    alike_names(a);
    folded_names(a);
    kept_elsewhere();
    HARNESS_END();
}
