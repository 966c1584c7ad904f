/* Knows how to hand out memory by lifetime. Must not know what it is used for. */
#include "arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define ARENA_ONE_MALLOC_EACH 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ARENA_ONE_MALLOC_EACH 1
#endif
#endif
#ifndef ARENA_ONE_MALLOC_EACH
#define ARENA_ONE_MALLOC_EACH 0
#endif

/* Chunks grow: thousands of small arenas live at a time, and each would hold a big chunk for a page of text. */
enum { FIRST_CHUNK_BYTES = 1024, CHUNK_BYTES = 64 * 1024, ALIGNMENT = 8 };

struct chunk {
    struct chunk *next;
    size_t size, used;
    _Alignas(ALIGNMENT) unsigned char bytes[];
};

struct kept {
    struct kept *next;
    void (*release)(void *what);
    void *what;
};

struct arena {
    struct chunk *chunks;
    struct kept *kept;
    size_t handed_out, chunk_bytes;
};

/* Nothing is undone and nothing flushed: that would take memory too. What was written line by line is on disk. */
void out_of_memory(const char *what)
{
    fputs("reinstate: out of memory", stderr);
    fputs(what ? what : "", stderr);
    fputs("; what was begun at Azure takes its course, and the same command continues where the world stands\n",
          stderr);
    _exit(EXIT_FAILURE);
}

void *xmalloc(size_t size)
{
    void *p = malloc(size ? size : 1);

    if (!p)
        out_of_memory(NULL);
    return p;
}

void *xcalloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);

    if (!p)
        out_of_memory(NULL);
    return p;
}

void *xrealloc(void *old, size_t size)
{
    void *p = realloc(old, size ? size : 1);

    if (!p)
        out_of_memory(NULL);
    return p;
}

char *xstrdup(const char *s)
{
    size_t n = strlen(s) + 1;

    return memcpy(xmalloc(n), s, n);
}

struct arena *arena_new(void)
{
    return xcalloc(1, sizeof(struct arena));
}

void arena_free(struct arena *a)
{
    if (!a)
        return;
    for (const struct kept *k = a->kept; k; k = k->next)
        k->release(k->what);
    for (struct chunk *c = a->chunks, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(a);
}

void arena_freep(struct arena **a)
{
    arena_free(*a);
    *a = NULL;
}

static struct chunk *chunk_add(struct arena *a, size_t size)
{
    struct chunk *c = xcalloc(1, sizeof(*c) + size);

    c->size = size;
    c->next = a->chunks;
    a->chunks = c;
    return c;
}

/* Texts follow each other without a gap: there are more of them than of anything else. */
static void *alloc_aligned(struct arena *a, size_t size, size_t alignment)
{
    struct chunk *c = a->chunks;
    size_t rounded, at;

    if (size > SIZE_MAX / 2)
        out_of_memory(NULL);
    rounded = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    at = c ? (c->used + alignment - 1) & ~(alignment - 1) : 0;
    a->handed_out += size;
    if (ARENA_ONE_MALLOC_EACH)
        return chunk_add(a, size)->bytes;
    if (!c || at > c->size || c->size - at < size) {
        /* A big object gets a chunk of its own behind the current one, so that the current one is still filled. */
        if (c && rounded > CHUNK_BYTES / 4) {
            struct chunk *own = xcalloc(1, sizeof(*own) + rounded);

            own->size = own->used = rounded;
            own->next = c->next;
            c->next = own;
            return own->bytes;
        }
        a->chunk_bytes = !a->chunk_bytes                ? FIRST_CHUNK_BYTES
                         : a->chunk_bytes < CHUNK_BYTES ? 2 * a->chunk_bytes
                                                        : CHUNK_BYTES;
        c = chunk_add(a, rounded > a->chunk_bytes ? rounded : a->chunk_bytes);
        at = 0;
    }
    c->used = at + size;
    return c->bytes + at;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return alloc_aligned(a, size, ALIGNMENT);
}

void *arena_grow(struct arena *a, const void *old, size_t old_size, size_t new_size)
{
    void *p = arena_alloc(a, new_size);

    if (old && old_size)
        memcpy(p, old, old_size < new_size ? old_size : new_size);
    return p;
}

void arena_keep(struct arena *a, void (*release)(void *what), void *what)
{
    struct kept *k = arena_new_of(a, struct kept);

    *k = (struct kept){.next = a->kept, .release = release, .what = what};
    a->kept = k;
}

size_t arena_bytes(const struct arena *a)
{
    return a->handed_out;
}

char *arena_strndup(struct arena *a, const char *s, size_t n)
{
    char *copy = alloc_aligned(a, n + 1, 1);

    if (n)
        memcpy(copy, s, n);
    return copy;
}

char *arena_strdup(struct arena *a, const char *s)
{
    return s ? arena_strndup(a, s, strlen(s)) : NULL;
}

char *arena_vprintf(struct arena *a, const char *fmt, va_list ap)
{
    va_list again;
    char *text;
    int n;

    va_copy(again, ap);
    n = vsnprintf(NULL, 0, fmt, ap);
    if (n < 0)
        out_of_memory(NULL);
    text = alloc_aligned(a, (size_t)n + 1, 1);
    vsnprintf(text, (size_t)n + 1, fmt, again);
    va_end(again);
    return text;
}

char *arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    char *text;

    va_start(ap, fmt);
    text = arena_vprintf(a, fmt, ap);
    va_end(ap);
    return text;
}
