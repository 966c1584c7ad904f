/* One read for all that want it: sent once, never reused after a write nor when too old, a failure told to all who
 * wait, and a cancelled reader says nothing about the others. */
#include "azure_peer.h"

#include "../../providers/azure/arm.h"
#include "../../providers/azure/shared.h"

#define DISK "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Compute/disks/d"
#define API API_DISK

enum { READERS = 5 };

struct reader {
    struct peer_case *t;
    int64_t since_ms;
    bool list, despite_writes;
    int rc;
    struct err err;
    const struct value *got;
};

static const char *etag_of(const struct reader *r)
{
    return r->list ? value_str_at(value_item(r->got, 0), "etag") : value_str_at(r->got, "etag");
}

static void read_task(struct call *c, void *arg)
{
    struct reader *r = arg;

    if (r->list)
        r->rc = arm_list_shared(r->t->az, c, r->t->a,
                                &(struct arm_wanted){.path = "/subscriptions/s/disks",
                                                     .api = API,
                                                     .query = arena_printf(r->t->a, "since=%p", arg),
                                                     .key = "disks",
                                                     .since_ms = r->since_ms},
                                &r->got, &r->err);
    else
        r->rc = arm_get_shared(r->t->az, c, r->t->a,
                               &(struct arm_wanted){.path = DISK,
                                                    .api = API,
                                                    .since_ms = r->since_ms,
                                                    .despite_writes = r->despite_writes},
                               &r->got, &r->err);
}

static struct reader read_once(struct call *c, struct peer_case *t, int64_t since_ms)
{
    struct reader r = {.t = t, .since_ms = since_ms};

    read_task(c, &r);
    return r;
}

static struct group *spawn_readers(struct call *c, struct peer_case *t, struct reader *readers, size_t n, bool list)
{
    struct group *g = group_new(call_sched(c), "readers");

    for (size_t i = 0; i < n; i++) {
        readers[i] = (struct reader){.t = t, .list = list};
        group_spawn(g, "reader", read_task, &readers[i]);
    }
    return g;
}

static void group_end(struct call *c, struct group *g)
{
    struct err err;

    CHECK(group_wait(c, g, &err) == 0);
    group_free(g);
}

static void nap(struct call *c, int64_t ms)
{
    struct err err;

    CHECK(call_sleep_ms(c, ms, "the test", &err) == 0);
}

static void write_disk(struct call *c, struct peer_case *t, enum arm_repeat repeat)
{
    struct arm_operation op;

    CHECK(arm_send(
              t->az, c, t->a,
              &(struct arm_sending){
                  .method = repeat == ARM_ADVISES ? HTTP_POST : HTTP_PUT, .path = DISK, .api = API, .repeat = repeat},
              &op, &t->err) == 0);
}

/* Whoever says nothing of it has a POST that is sent once: the peer expects no second one. */
static void said_nothing(struct call *c, struct peer_case *t)
{
    struct arm_operation op;

    CHECK(arm_send(t->az, c, t->a, &(struct arm_sending){.method = HTTP_POST, .path = DISK, .api = API}, &op,
                   &t->err) < 0 &&
          t->err.class == ERR_UNKNOWN_OUTCOME);
}

/* --- cases -------------------------------------------------------------------------------------------------------- */

static void all_at_once(struct call *c, struct peer_case *t)
{
    /* On a task's small stack there is no room for all their errors. */
    static struct reader readers[READERS], lists[READERS];

    group_end(c, spawn_readers(c, t, readers, READERS, false));
    group_end(c, spawn_readers(c, t, lists, READERS, true));
    for (size_t i = 0; i < READERS; i++) {
        CHECK(readers[i].rc == 0 && lists[i].rc == 0);
        CHECK_STR(etag_of(&readers[i]), "1");
        CHECK_STR(etag_of(&lists[i]), "2");
        /* It is one answer. */
        CHECK(readers[i].got == readers[0].got && lists[i].got == lists[0].got);
    }
}

static void after_a_write(struct call *c, struct peer_case *t)
{
    CHECK(arm_seen(t->az, t->a, DISK) == NULL);
    CHECK_STR(value_str_at(read_once(c, t, 0).got, "etag"), "1");
    write_disk(c, t, ARM_REPEATABLE);
    /* Whoever wants it once and for all may still see it; nobody takes it for the present. */
    CHECK_STR(value_str_at(arm_seen(t->az, t->a, DISK), "etag"), "1");
    CHECK_STR(value_str_at(read_once(c, t, 0).got, "etag"), "2");
    CHECK_STR(value_str_at(read_once(c, t, 0).got, "etag"), "2");
    /* A question that is sent as POST writes nothing. */
    write_disk(c, t, ARM_ADVISES);
    CHECK_STR(value_str_at(read_once(c, t, 0).got, "etag"), "2");
}

static const char *read_despite_writes(struct call *c, struct peer_case *t)
{
    struct reader r = {.t = t, .despite_writes = true};

    read_task(c, &r);
    return etag_of(&r);
}

static void writes_do_not_matter(struct call *c, struct peer_case *t)
{
    int64_t ahead_ms = sched_latest_ms(call_sched(c)) - call_span_ms(c);

    read_once(c, t, 0);
    write_disk(c, t, ARM_REPEATABLE);
    CHECK_STR(read_despite_writes(c, t), "1");
    shared_forget_if_asleep(t->az, c, ahead_ms);
    CHECK_STR(read_despite_writes(c, t), "1");
    /* Two who have both slept since their last looks: what the first one has read will do for the second one. */
    shared_forget_if_asleep(t->az, c, ahead_ms - SHARED_FRESH_MS - 1);
    CHECK_STR(read_despite_writes(c, t), "2");
    shared_forget_if_asleep(t->az, c, ahead_ms - SHARED_FRESH_MS - 1);
    CHECK_STR(read_despite_writes(c, t), "2");
    shared_forget(t->az);
    CHECK_STR(read_despite_writes(c, t), "3");
}

static void written_meanwhile(struct call *c, struct peer_case *t)
{
    struct reader first;
    struct group *g;

    read_once(c, t, 0);
    write_disk(c, t, ARM_REPEATABLE);
    g = spawn_readers(c, t, &first, 1, false);
    nap(c, 1);
    write_disk(c, t, ARM_REPEATABLE);
    group_end(c, g);
    CHECK_STR(etag_of(&first), "2");
    CHECK_STR(value_str_at(read_once(c, t, 0).got, "etag"), "3");
}

static void too_old(struct call *c, struct peer_case *t)
{
    int64_t begun = call_now_ms(c);

    read_once(c, t, begun);
    nap(c, 3000);
    CHECK_STR(value_str_at(read_once(c, t, begun).got, "etag"), "1");
    CHECK_STR(value_str_at(read_once(c, t, call_now_ms(c) - SHARED_FRESH_MS).got, "etag"), "2");
}

static void denied(struct call *c, struct peer_case *t)
{
    struct reader readers[READERS];

    group_end(c, spawn_readers(c, t, readers, READERS, false));
    for (size_t i = 0; i < READERS; i++) {
        CHECK(readers[i].rc == -ERR_DENIED && readers[i].err.class == ERR_DENIED && readers[i].got == NULL);
        CHECK_STR(readers[i].err.code, "AuthorizationFailed");
    }
    /* What failed is no answer: the next one asks again. */
    CHECK_STR(value_str_at(read_once(c, t, 0).got, "etag"), "1");
}

static void asker_cancelled(struct call *c, struct peer_case *t)
{
    struct reader asker, others[READERS];
    struct group *asking, *waiting;

    read_once(c, t, 0);
    write_disk(c, t, ARM_REPEATABLE);
    asking = spawn_readers(c, t, &asker, 1, false);
    nap(c, 1);
    waiting = spawn_readers(c, t, others, READERS, false);
    nap(c, 1);
    group_cancel(asking);
    group_end(c, asking);
    group_end(c, waiting);
    CHECK(asker.rc == -ERR_CANCELLED && asker.got == NULL);
    for (size_t i = 0; i < READERS; i++) {
        CHECK(others[i].rc == 0);
        CHECK_STR(etag_of(&others[i]), "3");
    }
}

static void waiters_cancelled(struct call *c, struct peer_case *t)
{
    struct reader asker, others[READERS];
    struct group *asking, *waiting;

    read_once(c, t, 0);
    write_disk(c, t, ARM_REPEATABLE);
    asking = spawn_readers(c, t, &asker, 1, false);
    nap(c, 1);
    waiting = spawn_readers(c, t, others, READERS, false);
    nap(c, 1);
    group_cancel(waiting);
    group_end(c, waiting);
    group_end(c, asking);
    CHECK(asker.rc == 0);
    CHECK_STR(etag_of(&asker), "2");
    for (size_t i = 0; i < READERS; i++)
        CHECK(others[i].rc == -ERR_CANCELLED && others[i].got == NULL);
}

/* A reader's answer stays as he has read it while others read a newer one, and goes when he is done. */
static void outlives_a_newer_one(struct call *c, struct peer_case *t)
{
    struct arena *own = arena_new(), *late = arena_new();
    const struct value *old = NULL, *fresh = NULL, *again = NULL;

    CHECK(arm_get_shared(t->az, c, own, &(struct arm_wanted){.path = DISK, .api = API}, &old, &t->err) == 0);
    write_disk(c, t, ARM_REPEATABLE);
    CHECK(arm_get_shared(t->az, c, t->a, &(struct arm_wanted){.path = DISK, .api = API}, &fresh, &t->err) == 0);
    CHECK_STR(value_str_at(old, "etag"), "1");
    CHECK_STR(value_str_at(fresh, "etag"), "2");
    arena_free(own);
    CHECK(arm_get_shared(
              t->az, c, late,
              &(struct arm_wanted){.path = "/SUBSCRIPTIONS/s/resourcegroups/rg/providers/Microsoft.Compute/disks/D",
                                   .api = API},
              &again, &t->err) == 0);
    CHECK(again == fresh);
    arena_free(late);
    CHECK_STR(value_str_at(fresh, "etag"), "2");
}

static size_t named; /* items that were put into an index */

static void by_tag(struct arena *a, struct index *x, const struct value *item)
{
    named++;
    index_put(x, arena_printf(a, "tag-%s", value_str_at(item, "etag")), item);
}

/* One index for one answer, however many ask; another answer is looked through anew. */
static void found_by_name(struct call *c, struct peer_case *t)
{
    struct arm_wanted disks = {.path = "/subscriptions/s/disks", .api = API, .key = "disks"};
    struct named_list x = {.names = by_tag};
    const struct value *list = NULL;

    named = 0;
    for (size_t i = 0; i < READERS; i++) {
        CHECK(arm_list_named(t->az, c, t->a, &disks, &x, &t->err) == 0);
        CHECK_STR(value_str_at(index_get(x.items, "TAG-2"), "etag"), "2");
        CHECK(index_get(x.items, "tag-3") == NULL);
    }
    CHECK(named == 2);
    CHECK(arm_list_shared(t->az, c, t->a, &disks, &list, &t->err) == 0);
    CHECK(value_item(list, 1) == index_get(x.items, "tag-2"));
    write_disk(c, t, ARM_REPEATABLE);
    CHECK(arm_list_named(t->az, c, t->a, &disks, &x, &t->err) == 0);
    CHECK(named == 3 && index_get(x.items, "tag-3") && !index_get(x.items, "tag-2"));
}

#define READ(tag)                                                                                                      \
    {                                                                                                                  \
        .method = "GET", .url = "/disks/d", .status = 200,                                                             \
        .body = "{\"id\":\"/x/d\",\"properties\":{},\"etag\":\"" tag "\"}"                                             \
    }
#define WRITE {.method = "PUT", .url = "/disks/d", .status = 200, .body = "{\"id\":\"/x/d\"}"}

static const struct {
    const char *reason;
    void (*run)(struct call *c, struct peer_case *t);
    struct peer_row rows[7]; /* after the login: all requests, in order, and no other */
} cases[] = {
    {"five readers, one request; five lists of one key, one request",
     all_at_once,
     {READ("1"),
      {.method = "GET", .url = "/subscriptions/s/disks", .status = 200, .body = "{\"value\":[{\"etag\":\"2\"}]}"}}},
    {"what was asked before a write is not reused",
     after_a_write,
     {READ("1"), WRITE, READ("2"), {.method = "POST", .url = "/disks/d", .status = 200, .body = "{}"}}},
    {"but for whom our writes do not matter, until something has passed, or time that nobody counted",
     writes_do_not_matter,
     {READ("1"), WRITE, READ("2"), READ("3")}},
    {"nor what was asked before it and answered after",
     written_meanwhile,
     {READ("1"), WRITE, READ("2"), WRITE, READ("3")}},
    {"nor what is older than the caller says", too_old, {READ("1"), READ("2")}},
    {"a failure is told to all who wait, and kept for nobody",
     denied,
     {{.method = "GET",
       .url = "/disks/d",
       .status = 403,
       .body = "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"no\"}}"},
      READ("1")}},
    {"who waits for a cancelled reader asks for himself, once for all",
     asker_cancelled,
     {READ("1"), WRITE, READ("2"), READ("3")}},
    {"an old answer lives while it is read, a new one is one for all",
     outlives_a_newer_one,
     {READ("1"), WRITE, READ("2")}},
    {"a list is looked through once for all who ask by name",
     found_by_name,
     {{.method = "GET",
       .url = "/subscriptions/s/disks",
       .status = 200,
       .body = "{\"value\":[{\"etag\":\"1\"},{\"etag\":\"2\"}]}"},
      WRITE,
      {.method = "GET", .url = "/subscriptions/s/disks", .status = 200, .body = "{\"value\":[{\"etag\":\"3\"}]}"}}},
    {"a POST is repeated only where its caller says so",
     said_nothing,
     {{.method = "POST", .url = "/disks/d", .fault = WIRE_LOST}}},
    {"cancelled waiters leave the reader alone", waiters_cancelled, {READ("1"), WRITE, READ("2")}},
};

int main(void)
{
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct peer_row rows[COUNT(cases[0].rows) + 1] = {PEER_LOGIN};
        struct peer_case t = {.a = arena_new(), .run = cases[i].run};
        struct peer p = {0};
        size_t n = 1;

        for (size_t k = 0; k < COUNT(cases[i].rows) && cases[i].rows[k].method; k++)
            rows[n++] = cases[i].rows[k];
        peer_run(cases[i].reason, rows, n, &t, &p);
        peer_release(&p);
        arena_free(t.a);
    }
    HARNESS_END();
}
