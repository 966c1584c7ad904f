/* Knows how a manifest comes from a file or from standard input, and that none is read beyond its limit. Must not know
 * YAML. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../base/text.h"
#include "manifest.h"
#include "manifest_internal.h"

enum { READ_BYTES = 8192 };

static void close_fd(int *fd)
{
    if (*fd > 0)
        close(*fd);
}

static bool read_all(int fd, size_t limit, struct text *ret)
{
    char block[READ_BYTES];
    ssize_t n;

    while ((n = read(fd, block, sizeof(block))) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text_add_n(ret, block, (size_t)n);
        if (ret->len > limit || ret->overflowed)
            break;
    }
    return true;
}

void manifest_read_file(struct arena *a, const char *path, const struct manifest_limits *limits, struct value *docs,
                        struct diags *diags)
{
    bool from_stdin = strcmp(path, "-") == 0;
    const char *file = from_stdin ? MANIFEST_STDIN : arena_strdup(a, path);
    int fd cleanup(close_fd) = from_stdin ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct text content cleanup(text_release);
    struct origin at = {.file = file};
    struct stat st;

    text_init(&content, limits->bytes + READ_BYTES);
    if (fd < 0 || fstat(fd, &st) < 0) {
        diags_add(diags, SEVERITY_ERROR, &at, NULL, "%s", strerror(errno));
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        diags_add(diags, SEVERITY_ERROR, &at, "name the files in it", "this is a directory");
        return;
    }
    if (S_ISREG(st.st_mode) && (uintmax_t)st.st_size > limits->bytes) {
        manifest_too_large(diags, file, limits->bytes);
        return;
    }
    if (!read_all(fd, limits->bytes, &content)) {
        diags_add(diags, SEVERITY_ERROR, &at, NULL, "%s", strerror(errno));
        return;
    }
    manifest_read(a, file, text_str(&content), content.len, limits, docs, diags);
}
