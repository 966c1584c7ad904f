/* Knows secrets in memory: mapped apart, kept out of core files, wiped before they are given back, masked in what is
 * shown. Must not know what they open. */
#include "crypt.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/file.h"

void secret_init(struct secret *s)
{
    *s = (struct secret){0};
}

static size_t mapping_bytes(size_t room)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return (room + 1 + page - 1) / page * page;
}

void secret_reserve(struct secret *s, size_t room)
{
    struct secret bigger = {.len = s->len};
    size_t size;

    if (s->bytes && room <= s->room)
        return;
    if (room >= SIZE_MAX / 4)
        out_of_memory(NULL);
    size = mapping_bytes(room);
    bigger.bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (bigger.bytes == MAP_FAILED)
        out_of_memory(NULL);
    bigger.room = size - 1;
    madvise(bigger.bytes, size, MADV_DONTDUMP);
    /* A child finds zeros. */
    madvise(bigger.bytes, size, MADV_WIPEONFORK);
    /* An ordinary user may lock a few pages only; a secret that cannot be locked is still wiped. */
    (void)!mlock(bigger.bytes, size);
    if (s->len)
        memcpy(bigger.bytes, s->bytes, s->len);
    secret_release(s);
    *s = bigger;
}

void secret_append(struct secret *s, const char *bytes, size_t n)
{
    size_t need = s->len + n;

    if (!s->bytes || need > s->room)
        secret_reserve(s, need > 2 * s->room ? need : 2 * s->room);
    if (n)
        memcpy(s->bytes + s->len, bytes, n);
    s->len = need;
    s->bytes[need] = '\0';
}

void secret_wipe(void *p, size_t n)
{
    if (n)
        explicit_bzero(p, n);
}

void secret_set(struct secret *s, const char *bytes, size_t n)
{
    if (s->bytes)
        secret_wipe(s->bytes, s->len);
    s->len = 0;
    secret_append(s, bytes, n);
}

void secret_release(struct secret *s)
{
    if (s->bytes) {
        secret_wipe(s->bytes, s->room + 1);
        munmap(s->bytes, s->room + 1);
    }
    secret_init(s);
}

void secret_mask(struct secret *in, const char *secret, size_t len, size_t least)
{
    least = len < least ? len : least;
    for (size_t at = 0; least && at + least <= in->len; at++) {
        size_t n = 0;

        while (n < len && at + n < in->len && in->bytes[at + n] == secret[n])
            n++;
        if (n < least)
            continue;
        memset(in->bytes + at, '*', n);
        at += n - 1;
    }
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

int secret_read_file(struct secret *ret, const char *path, size_t ceiling, struct err *err)
{
    int fd cleanup(close_fd) = -1;
    struct secret got cleanup(secret_release) = {0};
    ssize_t n = 1;

    TRY(file_open_read(path, &fd, err));
    secret_reserve(&got, 1);
    while (n > 0) {
        if (got.len == got.room)
            secret_reserve(&got, 2 * got.room);
        n = read(fd, got.bytes + got.len, got.room - got.len);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n < 0)
            return err_set(err, ERR_INVALID, "%s: %s", path, strerror(errno));
        else
            got.len += (size_t)n;
        if (got.len > ceiling)
            return err_set(err, ERR_INVALID, "%s is larger than %zu bytes", path, ceiling);
    }
    got.bytes[got.len] = '\0';
    secret_release(ret);
    *ret = got;
    secret_init(&got);
    return 0;
}
