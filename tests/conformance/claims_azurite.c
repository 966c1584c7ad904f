/* Claims against Azurite, over HTTPS: what one claim does, and a race of eight processes that all carry out one order
 * by job_run_once, pause and are killed. Azure Backup is played here, in memory that the processes share: it takes
 * every trigger and counts it. Azurite's clock runs as fast as ours (azurite_clock.cjs), so that minutes of waiting
 * take moments.
 *
 *   claims_azurite CA-FILE PORT ACCOUNT-KEY EPOCH-MS SPEED ROUNDS SEED     accounts: claims, race0001 and so on */
#include "../harness.h"

#include <sys/mman.h>
#include <sys/wait.h>

#include "claims_stage.h"

enum { PROCESSES = 8, RUNS_OF_ONE = 3, PERSON_RUNS = 200 };

static const struct permit_write writes[] = {
    {HTTP_POST, "/restore"}, {HTTP_POST, "/listKeys"}, {HTTP_PUT, "/" CLAIM_CONTAINER}};

static int always_due(struct call *c, const struct job_run *run, struct err *err)
{
    (void)c, (void)run, (void)err;
    return 0;
}

/* Whom the message tells to look at which claim. */
static void remember_claim(struct runner *r, const struct err *err)
{
    const char *at = strstr(err->text, "--take-over "), *end = at ? strchr(at, '=') : NULL;

    r->play->left[0] = '\0';
    if (end)
        snprintf(r->play->left, sizeof(r->play->left), "%.*s", (int)(end - at) - 12, at + 12);
}

static void stopped(struct runner *r, const struct err *err)
{
    remember_claim(r, err);
    r->code = err->class == ERR_BLOCKED ? EXIT_BLOCKED : EXIT_WRONG;
    if (r->code == EXIT_WRONG)
        fprintf(stderr, "%s: %s\n", r->account, err->text);
}

static void run_task(struct call *c, void *arg)
{
    struct runner *r = arg;
    struct arena *a cleanup(arena_freep) = arena_new();
    struct permit permit = {.step = "race", .writes = writes, .n_writes = COUNT(writes), .budget = 1000};
    struct value *take_over = value_map(a);
    struct settings settings = settings_default;
    struct view view = {.arena = a, .settings = &settings};
    struct actor actor = {.arena = a, .view = &view};
    int64_t since_ms = r->play->since_ms;
    const char *account = arena_printf(a, ACCOUNTS "%s", r->account),
               *target = arena_printf(a, MACHINES "%s", r->account);
    struct job_run run = {
        .az = r->az,
        .vault_id = VAULT,
        .item_id = ITEM,
        .settle_ms = settings.settle_ms,
        .bound_ms = DAY_MS,
        .not_after_ms = since_ms + 7 * DAY_MS,
        .request = {.type = RESTORE_NEW_VM,
                    .point = POINT,
                    .source_vm_id = MACHINES "vm",
                    .region = "uaenorth",
                    .storage_account_id = account,
                    .target_group_id = SUBSCRIPTION "/resourceGroups/rg-dr",
                    .target_vm_id = target,
                    .subnet_id = "/subnet"},
        .claim = {.item_id = ITEM, .target = target, .order = r->order, .point = POINT},
        .match = {.group = "rg",
                  .vm = "vm",
                  .type = RESTORE_NEW_VM,
                  .point_ms = time_parse("2026-11-22T20:00:00Z"),
                  .target_group = "rg-dr",
                  .target_vm = r->account,
                  .since_ms = since_ms},
        .actor = &actor,
        .still_due = always_due,
    };
    struct backup_job job;
    struct err err;

    settings.claims_required = true;
    settings.take_over = take_over;
    if (r->take_over)
        value_set_string(a, take_over, r->take_over, "A Person");
    call_set_context(c, &permit);
    if (job_run_once(c, &run, &job, &err) < 0)
        stopped(r, &err);
    else
        r->code = job.state == JOB_COMPLETED && str_eq(job.id, "job-0") ? 0 : EXIT_WRONG;
}

/* --- a race ------------------------------------------------------------------------------------------------------- */

struct tally {
    size_t rounds, kills, taken_over, triggers;
};

/* Runs it in a process of its own; killed after so many microseconds (0: by itself alone). The
 * status that waitpid gives. */
static int run_apart(struct runner *r, task_fn *task, uint64_t kill_after_us)
{
    pid_t pid = fork();
    int status = 0;

    if (pid < 0)
        exit(2);
    if (pid == 0) {
        with_client(r, task);
        _exit(r->code);
    }
    if (kill_after_us) {
        nap_us(kill_after_us);
        kill(pid, SIGKILL);
    }
    waitpid(pid, &status, 0);
    if (WIFSIGNALED(status))
        atomic_fetch_add(&r->play->kills, 1);
    return status;
}

/* Whoever was killed is started again, and may be killed again. */
static int run_stubbornly(struct runner r, uint64_t *random)
{
    int status = 0;

    nap_us(draw(random, 40000));
    for (int n = 0; n < RUNS_OF_ONE; n++) {
        uint64_t kill_after_us = draw(random, 5) ? 0 : 1 + draw(random, 400000);

        r.random = draw(random, UINT32_MAX);
        if (n > 0 || r.dies_at == AT_NONE)
            r.dies_at = draw(random, 3) ? AT_NONE : (enum instant)draw(random, INSTANTS);
        r.dies_after = n > 0 ? draw(random, 2) : r.dies_after;
        status = run_apart(&r, run_task, kill_after_us);
        if (!WIFSIGNALED(status))
            return WEXITSTATUS(status);
    }
    return 0;
}

static bool crowd(const struct runner *like, uint64_t *random)
{
    pid_t pids[PROCESSES];
    bool well = true;

    for (int i = 0; i < PROCESSES; i++) {
        struct runner r = *like;
        uint64_t own = draw(random, UINT32_MAX);

        r.order = i % 2 ? "inc-2" : "inc-1";
        r.by_key = draw(random, 3) == 0;
        r.dies_after = draw(random, 2);
        pids[i] = fork();
        if (pids[i] < 0)
            exit(2);
        if (pids[i] == 0)
            _exit(run_stubbornly(r, &own));
    }
    for (int i = 0; i < PROCESSES; i++) {
        int status = 0;

        waitpid(pids[i], &status, 0);
        well = well && WIFEXITED(status) && (WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == EXIT_BLOCKED);
    }
    return well;
}

/* A person runs it until it is done. A claim that names no job is taken over after a look at what Azure Backup has
 * really taken. */
static bool person(struct runner r, size_t *taken_over)
{
    char claim[sizeof(r.play->left)];

    r.steady = true;
    r.order = "inc-1";
    for (int n = 0; n < PERSON_RUNS; n++) {
        int status = run_apart(&r, run_task, 0);

        if (!WIFEXITED(status) || WEXITSTATUS(status) != EXIT_BLOCKED)
            return WIFEXITED(status) && WEXITSTATUS(status) == 0;
        r.take_over = NULL;
        if (r.play->left[0] && !atomic_load(&r.play->triggers)) {
            snprintf(claim, sizeof(claim), "%s", r.play->left);
            r.take_over = claim;
            ++*taken_over;
        }
        nap_us(50000);
    }
    return false;
}

static struct play *play_new(void)
{
    struct play *play = mmap(NULL, sizeof(*play), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (play == MAP_FAILED)
        exit(2);
    return play;
}

static struct runner runner_in(const struct stage *stage, struct arena *a, struct play *play, size_t round)
{
    memset(play, 0, sizeof(*play));
    play->since_ms = world_ms(stage) - MINUTE_MS;
    return (struct runner){.stage = stage, .play = play, .account = arena_printf(a, "race%04zu", round)};
}

/* The claims of the round: one generation more for each that was taken over. */
static void count_claims_task(struct call *c, void *arg)
{
    struct runner *r = arg;
    struct arena *a cleanup(arena_freep) = arena_new();
    struct claims claims cleanup(claims_release) = {0};
    struct value *list;
    struct err err;

    if (claims_open(r->az, c, a, arena_printf(a, ACCOUNTS "%s", r->account), &claims, &err) == 0 &&
        claims_list(c, a, &claims, &list, &err) == 0)
        r->code = (int)value_count(list);
}

static size_t claims_made(struct runner r)
{
    int status;

    r.steady = true;
    status = run_apart(&r, count_claims_task, 0);
    return WIFEXITED(status) ? (size_t)WEXITSTATUS(status) : SIZE_MAX;
}

static void test_race(const struct stage *stage, size_t rounds)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct play *play = play_new();
    struct tally all = {0};

    for (size_t i = 1; i <= rounds; i++) {
        uint64_t random = stage->seed + i * 7919;
        struct runner r = runner_in(stage, a, play, i);
        const char *round = arena_printf(a, "round %zu, seed %llu", i, (unsigned long long)stage->seed);
        size_t taken_over = 0;

        CHECK_ROW(round, crowd(&r, &random));
        CHECK_ROW(round, atomic_load(&play->triggers) <= 1);
        CHECK_ROW(round, person(r, &taken_over));
        CHECK_ROW(round, atomic_load(&play->triggers) == 1);
        CHECK_ROW(round, claims_made(r) == 1 + taken_over);
        all.rounds++;
        all.kills += (size_t)atomic_load(&play->kills);
        all.taken_over += taken_over;
        all.triggers += (size_t)atomic_load(&play->triggers);
        if (rounds > 100 && i % 100 == 0)
            fprintf(stderr, "%zu rounds: %zu killed, %zu claims taken over, %zu triggers\n", all.rounds, all.kills,
                    all.taken_over, all.triggers);
    }
    printf("%zu rounds of %d processes: %zu killed, %zu claims taken over, %zu triggers\n", all.rounds, PROCESSES,
           all.kills, all.taken_over, all.triggers);
    munmap(play, sizeof(*play));
}

/* --- killed at each instant, alone -------------------------------------------------------------------------------- */

static const struct {
    const char *what;
    enum instant at;
    bool after;
    int spared;
    size_t taken_over;
} deaths[] = {
    {"before its claim", AT_CLAIM, false, 0, 0},
    {"told that there is no container for claims", AT_CLAIM, true, 0, 0},
    {"with its claim, told nothing", AT_CLAIM, true, 1, 1},
    {"between claim and trigger", AT_TRIGGER, false, 0, 1},
    {"triggered, told nothing", AT_TRIGGER, true, 0, 0},
    {"between trigger and note", AT_NOTE, false, 0, 0},
    {"noted", AT_NOTE, true, 0, 0},
};

/* `first`: the account to begin with. */
static void test_deaths(const struct stage *stage, size_t first)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct play *play = play_new();

    for (size_t i = 0; i < 2 * COUNT(deaths); i++) {
        struct runner r = runner_in(stage, a, play, first + i), dead = r;
        size_t row = i / 2, taken_over = 0;

        dead.steady = true;
        dead.by_key = i % 2;
        dead.order = "inc-2";
        dead.dies_at = deaths[row].at;
        dead.dies_after = deaths[row].after;
        dead.spared = deaths[row].spared;
        CHECK_ROW(deaths[row].what, WIFSIGNALED(run_apart(&dead, run_task, 0)));
        CHECK_ROW(deaths[row].what, person(r, &taken_over) && taken_over == deaths[row].taken_over);
        CHECK_ROW(deaths[row].what, atomic_load(&play->triggers) == 1 && claims_made(r) == 1 + taken_over);
    }
    munmap(play, sizeof(*play));
}

/* --- one claim ---------------------------------------------------------------------------------------------------- */

struct writer {
    struct claims *claims;
    struct claim claim;
    int rc;
    struct err err;
};

static void writer_task(struct call *c, void *arg)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct writer *w = arg;

    w->rc = claims_take(c, a, w->claims, &w->claim, &w->err);
}

/* Many at once, for one name: one wins. */
static void check_writers(struct call *c, struct arena *a, struct claims *claims, const char *base)
{
    struct group *group = group_new(call_sched(c), "writers");
    struct writer *writers = arena_array(a, struct writer, PROCESSES);
    struct claim newest;
    size_t winners = 0, winner = 0;
    bool found = false;
    struct err err;

    for (size_t i = 0; i < PROCESSES; i++) {
        writers[i] = (struct writer){.claims = claims,
                                     .claim = {.name = claim_name(a, base, 0), .order = arena_printf(a, "inc-%zu", i)}};
        group_spawn(group, "writer", writer_task, &writers[i]);
    }
    CHECK(group_wait(c, group, &err) == 0);
    group_free(group);
    for (size_t i = 0; i < PROCESSES; i++) {
        CHECK_ROW(writers[i].err.text, writers[i].rc == 0 || writers[i].rc == -ERR_CONFLICT);
        winner = writers[i].rc == 0 ? i : winner;
        winners += writers[i].rc == 0;
    }
    CHECK(winners == 1);
    CHECK(claims_newest(c, a, claims, base, &newest, &found, &err) == 0 && found && newest.generation == 0 &&
          !newest.job);
    CHECK_STR(newest.order, writers[winner].claim.order);
}

/* Noted over the state that is known, never over another. */
static void check_notes(struct call *c, struct arena *a, struct claims *claims, const char *base)
{
    struct claim mine = {.name = claim_name(a, base, 1), .generation = 1, .order = "inc-1", .point = POINT}, stale,
                 newest;
    bool found = false;
    struct err err;

    CHECK(claims_take(c, a, claims, &mine, &err) == 0 && mine.etag);
    stale = mine;
    mine.job = "job-0";
    CHECK_ROW(err.text, claims_note(c, a, claims, &mine, &err) == 0 && !str_eq(mine.etag, stale.etag));
    stale.job = "job-1";
    CHECK(claims_note(c, a, claims, &stale, &err) == -ERR_CONFLICT && err.http_status == 412);
    CHECK_STR(err.code, "ConditionNotMet");
    CHECK(claims_newest(c, a, claims, base, &newest, &found, &err) == 0 && found && newest.generation == 1);
    CHECK_STR(newest.job, "job-0");
    CHECK_STR(newest.etag, mine.etag);
    CHECK(newest.made_ms != TIME_NONE && newest.made_ms <= call_now_ms(c) && newest.made_ms > call_now_ms(c) - DAY_MS);
    newest.ended = "taken over: A Person";
    CHECK(claims_note(c, a, claims, &newest, &err) == 0);
}

static void one_claim_task(struct call *c, void *arg)
{
    struct runner *r = arg;
    struct arena *a cleanup(arena_freep) = arena_new();
    struct permit permit = {.step = "claims", .writes = writes, .n_writes = COUNT(writes), .budget = 1000};
    struct claims claims cleanup(claims_release) = {0};
    const struct claim_subject subject = {.item_id = ITEM, .target = r->by_key ? "by key" : "by token"};
    const char *base = claim_base(a, &subject);
    struct value *list;
    struct claim none;
    bool found = true;
    struct err err;

    call_set_context(c, &permit);
    CHECK(claims_open(r->az, c, a, arena_printf(a, ACCOUNTS "%s", r->account), &claims, &err) == 0);
    CHECK_ROW("no container yet, or nothing in it",
              claims_newest(c, a, &claims, base, &none, &found, &err) == 0 && !found);
    check_writers(c, a, &claims, base);
    check_notes(c, a, &claims, base);
    CHECK((claims.key.len > 0) == r->by_key);
    claims.place.account_key = claims.key.len ? &claims.key : NULL;
    CHECK_ROW("made already is as good", blob_make_container(r->az, c, a, &claims.place, &err) == 0);
    CHECK((claims_list(c, a, &claims, &list, &err) == 0) && value_count(list) == (r->by_key ? 4 : 2));
}

static void test_one_claim(const struct stage *stage)
{
    struct play *play = play_new();

    for (int by_key = 0; by_key < 2; by_key++) {
        struct runner r = {.stage = stage, .play = play, .account = "claims", .steady = true, .by_key = by_key};

        with_client(&r, one_claim_task);
    }
    munmap(play, sizeof(*play));
}

int main(int argc, char **argv)
{
    struct stage stage;
    size_t rounds;

    if (argc != 8) {
        fprintf(stderr, "usage: claims_azurite CA-FILE PORT ACCOUNT-KEY EPOCH-MS SPEED ROUNDS SEED\n");
        return 2;
    }
    stage = (struct stage){
        .ca_file = argv[1],
        .port = (unsigned int)strtoul(argv[2], NULL, 10),
        .account_key = argv[3],
        .epoch_ms = strtoll(argv[4], NULL, 10),
        .speed = strtod(argv[5], NULL),
        .seed = strtoull(argv[7], NULL, 10),
    };
    rounds = strtoul(argv[6], NULL, 10);
    /* First what forks: no client of this process is alive then. */
    test_race(&stage, rounds);
    test_deaths(&stage, rounds + 1);
    test_one_claim(&stage);
    HARNESS_END();
}
