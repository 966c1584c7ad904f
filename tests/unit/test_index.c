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

static size_t things_of(const struct index *x, const char *name, const void **ret)
{
    size_t n = 0;

    for (const struct index_entry *e = index_find(x, name); e; e = e->next)
        ret[n++] = e->thing;
    return n;
}

/* What an owner has put is taken out alone, and comes back in its place; what is dropped is not found any more. */
static void owned_names(struct arena *a)
{
    struct index *x = index_new(a, INDEX_EXACT);
    struct index_entry *owned[3];
    int things[3], alone;
    const void *found[3];

    for (size_t i = 0; i < 3; i++) {
        index_own(x, i, a);
        index_put(x, "all", &things[i]);
        index_put(x, arena_printf(a, "own-%zu", i), &things[i]);
        owned[i] = index_owned(x);
    }
    for (size_t out = 0; out < 3; out++) {
        index_disown(x, owned[out]);
        CHECK(!index_get(x, arena_printf(a, "own-%zu", out)) && things_of(x, "all", found) == 2);
        index_own(x, out, a);
        index_put(x, "all", &things[out]);
        owned[out] = index_owned(x);
        CHECK(things_of(x, "all", found) == 3 && found[0] == &things[0] && found[1] == &things[1] &&
              found[2] == &things[2]);
    }
    for (size_t out = 0; out < 3; out++)
        index_disown(x, owned[out]);
    CHECK(!index_find(x, "all"));
    index_own(x, 0, a);
    index_put(x, "one", &alone);
    index_put(x, "one", &things[0]);
    index_drop(x, "one", &things[1]);
    index_drop(x, "one", &alone);
    CHECK(things_of(x, "one", found) == 1 && found[0] == &things[0]);
    index_drop(x, "one", &things[0]);
    CHECK(!index_find(x, "one"));
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
    owned_names(a);
    folded_names(a);
    kept_elsewhere();
    HARNESS_END();
}
