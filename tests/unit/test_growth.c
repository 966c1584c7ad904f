/* What an estate costs grows with the estate, not with its square: counts, not timings. All machines of a vault find
 * their item in one list: bytes handed out to them, bytes of the answer's names, and requests, for 100, 200 and 400
 * machines. */
#include "azure_peer.h"

#include "../../providers/azure/backup.h"

#define VAULT "/subscriptions/s/resourceGroups/rg/providers/Microsoft.RecoveryServices/vaults/rsv"
#define MACHINES "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines"

struct estate {
    size_t machines;
    size_t bytes, requests;
};

static const char *items_of(struct arena *a, size_t machines)
{
    struct text list cleanup(text_release) = {0};

    text_init(&list, TEXT_CEILING);
    text_add(&list, "{\"value\":[");
    for (size_t i = 0; i < machines; i++)
        text_printf(&list, "%s{\"id\":\"item-%zu\",\"properties\":{\"sourceResourceId\":\"" MACHINES "/vm-%zu\"}}",
                    i ? "," : "", i, i);
    text_add(&list, "]}");
    return arena_strdup(a, text_str(&list));
}

static void find_all(struct call *c, struct peer_case *t)
{
    struct estate *e = (struct estate *)t->arg;
    size_t wrong = 0;

    for (size_t i = 0; i < e->machines; i++) {
        struct arena *a cleanup(arena_freep) = arena_new();
        const struct value *item = NULL;
        size_t before = arena_bytes(a);

        t->rc = backup_find_item(t->az, c, a, VAULT, arena_printf(t->a, MACHINES "/VM-%zu", i), &item, &t->err);
        wrong += t->rc < 0 || !str_eq(value_str_at(item, "id"), arena_printf(t->a, "item-%zu", i));
        e->bytes += arena_bytes(a) - before;
    }
    CHECK(wrong == 0);
}

static struct estate grown(size_t machines)
{
    struct estate e = {.machines = machines};
    struct peer_case t = {.a = arena_new(), .run = find_all, .arg = &e};
    struct peer_row rows[] = {
        PEER_LOGIN,
        {.method = "GET", .url = "/backupProtectedItems", .status = 200, .body = items_of(t.a, machines)},
    };
    struct peer p = {0};

    peer_run("one list for all machines of a vault", rows, COUNT(rows), &t, &p);
    e.requests = p.n_seen;
    peer_release(&p);
    arena_free(t.a);
    return e;
}

int main(void)
{
    struct estate some = grown(100), more = grown(200), most = grown(400);

    /* Names of more digits are longer. */
    CHECK(more.bytes <= 2 * some.bytes + some.bytes / 10);
    CHECK(most.bytes <= 2 * more.bytes + more.bytes / 10);
    CHECK(some.requests == 2 && more.requests == 2 && most.requests == 2);
    HARNESS_END();
}
