/* The journal's chain: written, taken up again, torn, and changed behind its back. */
#include "harness.h"

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/run/journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/reinstate-journal-XXXXXX";
static const char *const names[] = {"j", "other", "fifo"};

static const char *at(struct arena *a, const char *name)
{
    return arena_printf(a, "%s/%s", folder, name);
}

static char *slurp(struct arena *a, const char *path)
{
    char *s = arena_alloc(a, 1 << 16);
    int fd = open(path, O_RDONLY);
    ssize_t n = fd >= 0 ? read(fd, s, (1 << 16) - 1) : -1;

    if (fd >= 0)
        close(fd);
    return n >= 0 ? s : NULL;
}

static void spill(const char *path, const char *s, size_t n)
{
    FILE *f = fopen(path, "w");

    CHECK(f && fwrite(s, 1, n, f) == n);
    if (f)
        fclose(f);
}

static int append(struct arena *a, struct journal *j, const char *event, int64_t n, struct err *err)
{
    struct value *line = value_map(a);

    value_set_string(a, line, "event", event);
    value_set_int(a, line, "n", n);
    return journal_append(j, line, err);
}

/* `n` lines in a run of its own. */
static int run(struct arena *a, const char *path, int n, struct err *err)
{
    struct journal *j;

    TRY(journal_open(path, &j, err));
    for (int i = 0; i < n; i++)
        CHECK(append(a, j, "step", i, err) == 0);
    journal_close(j);
    return 0;
}

static size_t lines_of(const char *path, struct err *err)
{
    struct journal_check check = {0};

    return journal_verify(path, NULL, &check, err) == 0 ? check.lines : 1000 + err->class;
}

static void test_written(struct arena *a)
{
    const char *path = at(a, "j");
    struct stat st;
    struct err err;
    struct value *first, *second;
    char *s, *end;

    CHECK(run(a, path, 2, &err) == 0);
    CHECK(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    s = slurp(a, path);
    end = strchr(s, '\n');
    CHECK(json_parse(a, s, (size_t)(end - s), &first, &err) == 0);
    CHECK(json_parse(a, end + 1, strlen(end + 1), &second, &err) == 0);
    CHECK_STR(value_str_at(first, "event"), "step");
    CHECK_STR(value_str_at(second, "prev"), value_str_at(first, "hash"));
    CHECK(strlen(value_str_at(second, "hash")) == 64);
    CHECK(lines_of(path, &err) == 2);
    CHECK_ROW("a later run goes on", run(a, path, 3, &err) == 0 && lines_of(path, &err) == 5);
    CHECK(journal_append(NULL, first, &err) == 0);
}

/* Known from outside: sha256 of 64 zeros and the canonical rest. */
static void test_hash_is_as_documented(struct arena *a)
{
    const char *path = at(a, "other");
    struct journal *j;
    struct err err;

    CHECK(journal_open(path, &j, &err) == 0);
    CHECK(append(a, j, "step", 7, &err) == 0);
    journal_close(j);
    CHECK_STR(slurp(a, path), "{\"event\":\"step\",\"n\":7,\"prev\":\""
                              "0000000000000000000000000000000000000000000000000000000000000000\",\"hash\":\""
                              "b6fb2afcc9c9569ec91406819018fcfa55ca61accb1683171bc8f106cbe966a4\"}\n");
    unlink(path);
}

static void test_changed(struct arena *a)
{
    static const struct {
        const char *reason, *find, *put;
        const char *named;
    } rows[] = {
        {"a figure in the middle was edited", "\"n\":1", "\"n\":8", "line 2"},
        {"the first line was edited", "\"n\":0", "\"n\":8", "line 1"},
        {"the last line was edited", "\"n\":3", "\"n\":8", "line 4"},
        {"a line was made unreadable", "{\"event\":\"step\",\"n\":2", "[\"event\":\"step\",\"n\":2", "line 3"},
        {"a member was added", "\"n\":1,", "\"n\":1,\"x\":0,", "line 2"},
        {"a line was put in that claims to explain a torn one", "\"event\":\"step\",\"n\":2",
         "\"event\":\"torn-line\",\"n\":2", "line 3"},
    };
    const char *path = at(a, "j");

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct text t;
        struct err err = {0};
        struct journal *j = NULL;
        struct journal_check check;
        char *s, *found;

        unlink(path);
        CHECK(run(a, path, 4, &err) == 0);
        s = slurp(a, path);
        found = strstr(s, rows[i].find);
        CHECK_ROW(rows[i].reason, found != NULL);
        text_init(&t, TEXT_CEILING);
        text_add_n(&t, s, (size_t)(found - s));
        text_add(&t, rows[i].put);
        text_add(&t, found + strlen(rows[i].find));
        spill(path, t.s, t.len);
        CHECK_ROW(rows[i].reason,
                  journal_verify(path, NULL, &check, &err) == -ERR_INVALID && strstr(err.text, rows[i].named));
        CHECK_ROW(rows[i].reason, journal_open(path, &j, &err) == -ERR_INVALID && strstr(err.text, rows[i].named));
        text_release(&t);
    }
}

static void test_removed_line(struct arena *a)
{
    const char *path = at(a, "j");
    struct err err = {0};
    char *s, *second, *third;
    struct journal_check check;

    unlink(path);
    CHECK(run(a, path, 4, &err) == 0);
    s = slurp(a, path);
    second = strchr(s, '\n') + 1;
    third = strchr(second, '\n') + 1;
    memmove(second, third, strlen(third) + 1);
    spill(path, s, strlen(s));
    CHECK(journal_verify(path, NULL, &check, &err) == -ERR_INVALID && strstr(err.text, "line 2"));
}

/* What the chain alone cannot show: its end cut off, or a whole new one. The head of an earlier run does. */
static void test_head(struct arena *a)
{
    const char *path = at(a, "j");
    struct journal_check check = {0}, later = {0};
    struct journal *j;
    struct err err = {0};
    char *s;

    unlink(path);
    CHECK(journal_open(path, &j, &err) == 0);
    CHECK(strspn(journal_head(j), "0") == 64 && journal_added(j) == 0);
    CHECK(append(a, j, "step", 0, &err) == 0 && append(a, j, "step", 1, &err) == 0 && journal_added(j) == 2);
    CHECK(journal_verify(path, journal_head(j), &check, &err) == 0 && check.lines == 2 && check.after == 0);
    CHECK_STR(check.head, journal_head(j));
    journal_close(j);
    CHECK(run(a, path, 3, &err) == 0);
    CHECK_ROW("it has grown since",
              journal_verify(path, check.head, &later, &err) == 0 && later.lines == 5 && later.after == 3);
    CHECK_ROW("every chain has once been empty",
              journal_verify(path, "0000000000000000000000000000000000000000000000000000000000000000", &check, &err) ==
                      0 &&
                  check.after == 5);
    s = slurp(a, path);
    for (size_t n = strlen(s) - 1; n; n--)
        if (s[n - 1] == '\n') {
            spill(path, s, n);
            break;
        }
    CHECK_ROW("the last line was cut off", journal_verify(path, NULL, &check, &err) == 0 && check.lines == 4);
    CHECK_ROW("and the head shows it", journal_verify(path, later.head, &check, &err) == -ERR_CONFLICT);
    unlink(path);
    CHECK(journal_open(path, &j, &err) == 0 && append(a, j, "another", 1, &err) == 0);
    journal_close(j);
    CHECK_ROW("a new chain of other lines", journal_verify(path, later.head, &check, &err) == -ERR_CONFLICT);
    CHECK(symlink(path, at(a, "other")) == 0);
    CHECK_ROW("a link is not followed",
              journal_open(at(a, "other"), &j, &err) == -ERR_INVALID && strstr(err.text, "a link"));
    unlink(at(a, "other"));
}

/* Every length a crash may leave of the last line. */
static void test_torn(struct arena *a)
{
    const char *path = at(a, "j");
    struct err err = {0};
    size_t whole, two;
    char *s;

    unlink(path);
    CHECK(run(a, path, 3, &err) == 0);
    s = slurp(a, path);
    whole = strlen(s);
    two = (size_t)(strchr(strchr(s, '\n') + 1, '\n') + 1 - s);
    for (size_t cut = two; cut <= whole; cut += cut + 8 < whole ? 7 : 1) {
        size_t kept = cut < whole - 1 ? 2 : 3, noted = cut > two && cut < whole - 1;

        spill(path, s, cut);
        CHECK_ROW("a torn line at the end is forgiven", lines_of(path, &err) == kept);
        CHECK_ROW("the next run goes on from the last whole line", run(a, path, 2, &err) == 0);
        CHECK_ROW("what is torn is kept and noted", lines_of(path, &err) == kept + noted + 2);
        CHECK(strncmp(slurp(a, path), s, cut) == 0);
        CHECK((strstr(slurp(a, path), "torn-line") != NULL) == noted);
    }
    spill(path, s, two + 9);
    CHECK(run(a, path, 1, &err) == 0);
    s = slurp(a, path);
    s[two + 3] ^= 1;
    spill(path, s, strlen(s));
    CHECK_ROW("a noted torn line must stay as it was",
              lines_of(path, &err) == 1000 + ERR_INVALID && strstr(err.text, "line 3"));
}

static void test_open_errors(struct arena *a)
{
    const char *path = at(a, "j"), *fifo = at(a, "fifo");
    struct journal *j = NULL, *second = NULL;
    struct err err;

    unlink(path);
    CHECK(journal_open("/nowhere/at/all", &j, &err) == -ERR_INVALID);
    CHECK(mkfifo(fifo, 0600) == 0);
    CHECK_ROW("a pipe is no journal", journal_open(fifo, &j, &err) == -ERR_INVALID);
    CHECK(journal_open(path, &j, &err) == 0);
    CHECK_ROW("two runs cannot share one", journal_open(path, &second, &err) == -ERR_BLOCKED);
    journal_close(j);
    CHECK(journal_open(path, &second, &err) == 0);
    journal_close(second);
}

static void test_disk_full(struct arena *a)
{
    struct journal *j = NULL;
    struct err err = {0};
    const char *path = at(a, "j");
    int full = open("/dev/full", O_WRONLY);
    int fd;

    unlink(path);
    fd = open(path, O_RDONLY | O_CREAT, 0600);
    close(fd);
    CHECK(full >= 0);
    /* The journal takes the lowest free number: that is where the full disk is slipped in. */
    CHECK(journal_open(path, &j, &err) == 0);
    CHECK(dup2(full, fd) == fd);
    CHECK(append(a, j, "step", 1, &err) == -ERR_BLOCKED);
    CHECK(dup2(open(path, O_WRONLY | O_APPEND), fd) == fd);
    CHECK_ROW("after a failed line no other is tried", append(a, j, "step", 2, &err) == -ERR_BLOCKED);
    CHECK_STR(slurp(a, path), "");
    journal_close(j);
    close(full);
}

int main(void)
{
    struct arena *a = arena_new();

    if (!mkdtemp(folder))
        return 1;
    test_written(a);
    test_hash_is_as_documented(a);
    test_changed(a);
    test_removed_line(a);
    test_head(a);
    test_torn(a);
    test_open_errors(a);
    test_disk_full(a);
    for (size_t i = 0; i < COUNT(names); i++)
        unlink(at(a, names[i]));
    CHECK(rmdir(folder) == 0);
    arena_free(a);
    HARNESS_END();
}
