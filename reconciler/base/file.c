/* Knows how bytes get into a file whole, and where a path may lead. Must not know what the bytes mean. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

int file_write_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = write(fd, bytes, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n == 0)
            errno = ENOSPC;
        if (n <= 0)
            return -1;
        bytes += n;
        len -= (size_t)n;
    }
    return 0;
}

/* A name is on disk only when its folder is. */
static int folder_sync(const char *path)
{
    char *folder = xstrdup(path), *slash = strrchr(folder, '/');
    int fd, rc;

    if (slash)
        slash[slash == folder ? 1 : 0] = '\0';
    fd = open(slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    free(folder);
    if (fd < 0)
        return -1;
    rc = fsync(fd);
    /* Some network file systems sync no folder; there is no more that can be done for it there. */
    if (rc < 0 && (errno == EINVAL || errno == ENOTSUP))
        rc = 0;
    close(fd);
    return rc;
}

static int unfit(const char *path, mode_t mode, struct err *err)
{
    err_set(err, ERR_INVALID, "%s is %s, no ordinary file", path,
            S_ISLNK(mode) ? "a link" : S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : "a device");
    return S_ISLNK(mode) ? err_advise(err, "name the file that it points to") : -(int)err->class;
}

static int cannot(const char *path, const char *what, int error, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s cannot be %s: %s", path, what, strerror(error));
}

/* --- whole files -------------------------------------------------------------------------------------------------- */

static int temporary_write(int fd, const char *bytes, size_t len)
{
    int rc = file_write_all(fd, bytes, len) == 0 && fsync(fd) == 0 ? 0 : -1, error = errno;

    if (close(fd) < 0 && rc == 0)
        return -1;
    errno = error;
    return rc;
}

int file_replace(const char *path, const char *bytes, size_t len, struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    char *temporary = arena_printf(a, "%s.XXXXXX", path);
    struct stat st;
    int fd, error;

    if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return unfit(path, st.st_mode, err);
    fd = mkostemp(temporary, O_CLOEXEC);
    if (fd < 0)
        return cannot(path, "written", errno, err);
    if (temporary_write(fd, bytes, len) < 0 || rename(temporary, path) < 0) {
        error = errno;
        unlink(temporary);
        return cannot(path, "written", error, err);
    }
    return folder_sync(path) < 0 ? cannot(path, "written", errno, err) : 0;
}

bool file_is_there(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* --- files that grow, files that are read ------------------------------------------------------------------------- */

static int regular(const char *path, int fd, struct err *err)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return cannot(path, "opened", errno, err);
    return S_ISREG(st.st_mode) ? 0 : unfit(path, st.st_mode, err);
}

bool file_is_lasting(const char *path)
{
    struct stat st;

    return strcmp(path, "-") != 0 && (stat(path, &st) < 0 || S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
}

int file_open_append(const char *path, int *ret_fd, struct err *err)
{
    const int flags = O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
    int fd cleanup(close_fd) = open(path, flags | O_CREAT | O_EXCL, 0600);
    struct stat st;

    if (fd >= 0 && folder_sync(path) < 0)
        return cannot(path, "opened", errno, err);
    if (fd < 0 && errno == EEXIST)
        fd = open(path, flags);
    if (fd < 0 && lstat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return unfit(path, st.st_mode, err);
    if (fd < 0)
        return cannot(path, "opened", errno, err);
    TRY(regular(path, fd, err));
    *ret_fd = fd;
    fd = -1;
    return 0;
}

int file_open_read(const char *path, int *ret_fd, struct err *err)
{
    int fd cleanup(close_fd) = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0)
        return cannot(path, "read", errno, err);
    TRY(regular(path, fd, err));
    *ret_fd = fd;
    fd = -1;
    return 0;
}
