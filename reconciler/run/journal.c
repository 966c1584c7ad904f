/* Knows how lines are chained, written and checked. Must not know what they mean; only the line it writes itself, when
 * an earlier run was cut off in the middle of one, is its own. */
#include "journal.h"

#include "../base/file.h"
#include "../format/crypt.h"
#include "../format/json.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 1024 * 1024 };
static const char first_prev[] = "0000000000000000000000000000000000000000000000000000000000000000";
static const char torn_event[] = "torn-line";

struct journal {
    int fd;
    char *path;
    char prev[SHA256_HEX];
    size_t added;
    int failed;             /* errno. What is on disk is not known any more: no further line, so no further write */
};

/* --- the chain ---------------------------------------------------------------------------------------------------- */

static void chain_hash(const char *prev, const struct value *rest, char ret[SHA256_HEX])
{
    struct text t cleanup(text_release);

    text_init(&t, TEXT_CEILING);
    text_add(&t, prev);
    json_write(&t, rest, JSON_CANONICAL);
    crypt_sha256_hex(text_str(&t), t.len, ret);
}

/* How far the reading of a file has come. */
struct reading {
    char prev[SHA256_HEX];
    size_t lines;           /* read so far, torn ones included */
    size_t whole;           /* of them, in the chain */
    size_t torn_lines;
    const char *wanted;     /* a head to be found, or NULL */
    bool found;
    size_t found_at;        /* lines of the chain up to it */
    bool torn;              /* the last line was torn */
    bool ended;             /* the last line ended with a line end */
    char torn_sha256[SHA256_HEX];
    size_t torn_bytes;
};

/* True when the line follows in the chain; then `r` has moved on. */
static bool line_fits(struct reading *r, const char *line, size_t len)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *v;
    struct err ignored;
    char hash[SHA256_HEX];
    const char *claimed;

    if (json_parse(a, line, len, &v, &ignored) < 0 || !value_is(v, VALUE_MAP))
        return false;
    claimed = arena_strdup(a, value_str_at(v, "hash"));
    if (!claimed || !str_eq(value_str_at(v, "prev"), r->prev))
        return false;
    if (r->torn &&
        (!str_eq(value_str_at(v, "event"), torn_event) || !str_eq(value_str_at(v, "sha256"), r->torn_sha256)))
        return false;
    value_remove(v, "prev");
    value_remove(v, "hash");
    chain_hash(r->prev, v, hash);
    if (!str_eq(hash, claimed))
        return false;
    memcpy(r->prev, hash, sizeof(hash));
    return true;
}

static void head_note(struct reading *r)
{
    if (!r->wanted || !str_eq_nocase(r->wanted, r->prev))
        return;
    r->found = true;
    r->found_at = r->whole;
}

/* A line that does not fit may be a torn one, if what follows says so; two of them in a row may not. */
static bool line_read(struct reading *r, const char *line, size_t len)
{
    r->ended = len && line[len - 1] == '\n';
    if (r->ended)
        len--;
    r->lines++;
    if (line_fits(r, line, len)) {
        r->whole++;
        r->torn = false;
        head_note(r);
        return true;
    }
    if (r->torn)
        return false;
    r->torn = true;
    r->torn_lines++;
    r->torn_bytes = len;
    crypt_sha256_hex(line, len, r->torn_sha256);
    return true;
}

static int broken(const char *path, size_t line, struct err *err)
{
    err_set(err, ERR_INVALID,
            "%s: line %zu does not follow from the line before it: the journal was changed after it was written", path,
            line);
    return err_advise(err, "Keep the file for whoever looks into it, and name another with --journal");
}

/* One line with its end into `line`; 0: there is none. What is longer than a line may be is not kept, and a failed read
 * is no end of the file. */
static int read_line(const char *path, FILE *f, const struct reading *r, char *line, size_t *ret_len, struct err *err)
{
    int c = 0;

    *ret_len = 0;
    while (c != '\n' && (c = getc(f)) != EOF) {
        if (*ret_len == LINE_BYTES_MAX)
            return err_set(err, ERR_INVALID, "%s: line %zu is longer than %d bytes", path, r->lines + 1,
                           LINE_BYTES_MAX);
        line[(*ret_len)++] = (char)c;
    }
    line[*ret_len] = '\0';
    if (ferror(f))
        return err_set(err, ERR_INVALID, "%s: cannot be read: %s", path, strerror(errno));
    return 0;
}

static int read_all(const char *path, FILE *f, const char *wanted, struct reading *r, struct err *err)
{
    char *line = xcalloc(1, LINE_BYTES_MAX + 1);
    size_t n = 0;
    int rc;

    *r = (struct reading){.ended = true, .wanted = wanted};
    memcpy(r->prev, first_prev, sizeof(first_prev));
    head_note(r);
    do {
        rc = read_line(path, f, r, line, &n, err);
        if (rc == 0 && n && !line_read(r, line, n))
            rc = broken(path, r->lines - 1, err);
    } while (rc == 0 && n);
    free(line);
    if (rc == 0 && r->torn && r->ended)
        rc = broken(path, r->lines, err);
    return rc;
}

static void file_closep(FILE **f)
{
    if (*f)
        fclose(*f);
}

int journal_verify(const char *path, const char *head, struct journal_check *ret, struct err *err)
{
    FILE *f cleanup(file_closep) = NULL;
    struct reading r;
    int fd;

    TRY(file_open_read(path, &fd, err));
    f = fdopen(fd, "r");
    if (!f) {
        close(fd);
        return err_set(err, ERR_INVALID, "%s: cannot be opened: %s", path, strerror(errno));
    }
    TRY(read_all(path, f, head, &r, err));
    *ret = (struct journal_check){.lines = r.whole, .torn = r.torn_lines, .after = r.whole - r.found_at};
    memcpy(ret->head, r.prev, sizeof(ret->head));
    if (!head || r.found)
        return 0;
    err_set(err, ERR_CONFLICT,
            "%s: the chain holds together, and has never stood at %s: lines were cut off its end, or it was written "
            "anew; it has %zu line%s and ends with %s",
            path, head, r.whole, r.whole == 1 ? "" : "s", r.prev);
    return err_advise(err, "keep the file for whoever looks into it");
}

/* --- writing ------------------------------------------------------------------------------------------------------ */

static int write_line(struct journal *j, const char *s, size_t len, struct err *err)
{
    ssize_t n = write(j->fd, s, len);

    if (n == (ssize_t)len && fsync(j->fd) == 0)
        return 0;
    j->failed = n < 0 || n == (ssize_t)len ? errno : ENOSPC;
    return err_set(err, ERR_BLOCKED, "%s: the journal cannot be written: %s", j->path, strerror(j->failed));
}

static int append(struct journal *j, const char *before, const struct value *line, struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release);
    struct value *copy;
    char hash[SHA256_HEX];

    text_init(&t, LINE_BYTES_MAX);
    if (j->failed)
        return err_set(err, ERR_BLOCKED, "%s: an earlier line of the journal could not be written", j->path);
    copy = value_copy(a, line);
    value_remove(copy, "prev");
    value_remove(copy, "hash");
    chain_hash(j->prev, copy, hash);
    value_set_string(a, copy, "prev", j->prev);
    value_set_string(a, copy, "hash", hash);
    text_add(&t, before);
    json_write(&t, copy, JSON_COMPACT);
    text_add_char(&t, '\n');
    if (t.overflowed)
        return err_set(err, ERR_INVALID, "%s: a line of the journal would be longer than %d bytes", j->path,
                       LINE_BYTES_MAX);
    TRY(write_line(j, text_str(&t), t.len, err));
    j->added++;
    memcpy(j->prev, hash, sizeof(hash));
    return 0;
}

int journal_append(struct journal *j, const struct value *line, struct err *err)
{
    return j ? append(j, "", line, err) : 0;
}

const char *journal_head(const struct journal *j)
{
    return j->prev;
}

size_t journal_added(const struct journal *j)
{
    return j->added;
}

int journal_error(const struct journal *j, struct err *err)
{
    if (!j || !j->failed)
        return 0;
    return err_set(err, ERR_BLOCKED, "%s: the journal is not complete: %s", j->path, strerror(j->failed));
}

/* --- opening ------------------------------------------------------------------------------------------------------ */

/* The line end that is missing and the note go out together, so that a crash between them leaves no bare torn line. */
static int end_last_line(struct journal *j, const struct reading *r, struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct value *note = value_map(a);

    if (!r->torn)
        return write_line(j, "\n", 1, err);
    value_set_string(a, note, "event", torn_event);
    value_set_int(a, note, "bytes", (int64_t)r->torn_bytes);
    value_set_string(a, note, "sha256", r->torn_sha256);
    return append(j, "\n", note, err);
}

static int open_file(struct journal *j, struct err *err)
{
    if (file_open_append(j->path, &j->fd, err) < 0)
        return err_note(err, "the journal");
    if (flock(j->fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_BLOCKED, "%s: another run is writing this journal", j->path);
    return 0;
}

/* By the descriptor that is written to: the path may lead elsewhere by now. */
static FILE *reader_of(int fd)
{
    int again = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    FILE *f = again >= 0 ? fdopen(again, "r") : NULL;

    if (!f && again >= 0)
        close(again);
    return f;
}

static void journal_closep(struct journal **j)
{
    journal_close(*j);
}

int journal_open(const char *path, struct journal **ret, struct err *err)
{
    struct journal *j cleanup(journal_closep) = xcalloc(1, sizeof(*j));
    FILE *f cleanup(file_closep) = NULL;
    struct reading r;

    j->path = xstrdup(path);
    j->fd = -1;
    TRY(open_file(j, err));
    f = reader_of(j->fd);
    if (!f)
        return err_set(err, ERR_INVALID, "%s: the journal cannot be read: %s", path, strerror(errno));
    TRY(read_all(path, f, NULL, &r, err));
    memcpy(j->prev, r.prev, sizeof(r.prev));
    if (!r.ended)
        TRY(end_last_line(j, &r, err));
    *ret = j;
    j = NULL;
    return 0;
}

void journal_close(struct journal *j)
{
    if (!j)
        return;
    if (j->fd >= 0)
        close(j->fd);
    free(j->path);
    free(j);
}
