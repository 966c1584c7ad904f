/* Knows how to keep memory out of core files and to give it back without what was in it: blocks in sizes of powers of
 * two, cut from mappings that are never returned. Must not know who asks, nor what a secret is. The lists of free
 * blocks are the one global state of this layer: the hooks of the libraries take no context. Under a sanitizer malloc
 * does the work, so that it sees what is done with the memory. */
#include "wipe.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { SMALLEST = 32, CLASSES = 13, CHUNK = 1024 * 1024, PAGE = 4096 };

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

/* Before every block. `class` CLASSES: a mapping of its own. */
struct head {
    alignas(16) size_t room;
    size_t class;
};

struct freed {
    struct freed *next;
};

static struct {
    pthread_mutex_t lock;
    struct freed *freed[CLASSES];
    char *at, *end;
} pool = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void *map(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (p == MAP_FAILED)
        return NULL;
    madvise(p, size, MADV_DONTDUMP);
    return p;
}

static void *block_own(size_t n)
{
    size_t size = (n + sizeof(struct head) + PAGE - 1) / PAGE * PAGE;
    struct head *h = map(size);

    if (!h)
        return NULL;
    *h = (struct head){.room = size - sizeof(*h), .class = CLASSES};
    return h + 1;
}

/* What is left of the last chunk is too small for this size, and lost. */
static void *block_cut(size_t class)
{
    size_t size = (size_t)SMALLEST << class;
    struct head *h;

    if ((size_t)(pool.end - pool.at) < size) {
        pool.at = map(CHUNK);
        pool.end = pool.at ? pool.at + CHUNK : NULL;
        if (!pool.at)
            return NULL;
    }
    h = (struct head *)pool.at;
    pool.at += size;
    *h = (struct head){.room = size - sizeof(*h), .class = class};
    return h + 1;
}

void *wipe_malloc(size_t n)
{
    size_t class = 0;
    struct freed *block;

    if (SANITIZED)
        return malloc(n);
    if (n > SIZE_MAX / 2)
        return NULL;
    while (class < CLASSES && ((size_t)SMALLEST << class) < n + sizeof(struct head))
        class++;
    if (class == CLASSES)
        return block_own(n);
    pthread_mutex_lock(&pool.lock);
    block = pool.freed[class];
    if (block)
        pool.freed[class] = block->next;
    else
        block = block_cut(class);
    pthread_mutex_unlock(&pool.lock);
    return block;
}

void wipe_free(void *p)
{
    struct freed *block = p;
    struct head *h;

    if (SANITIZED || !p) {
        free(p);
        return;
    }
    h = (struct head *)p - 1;
    if (h->class == CLASSES) {
        munmap(h, h->room + sizeof(*h));
        return;
    }
    explicit_bzero(p, h->room);
    pthread_mutex_lock(&pool.lock);
    block->next = pool.freed[h->class];
    pool.freed[h->class] = block;
    pthread_mutex_unlock(&pool.lock);
}

void *wipe_calloc(size_t n, size_t size)
{
    void *p = size && n > SIZE_MAX / size ? NULL : wipe_malloc(n * size);

    return p ? memset(p, 0, n * size) : NULL;
}

void *wipe_realloc(void *p, size_t n)
{
    size_t had;
    void *grown;

    if (SANITIZED)
        return realloc(p, n);
    had = p ? ((struct head *)p - 1)->room : 0;
    if (p && n && n <= had)
        return p;
    grown = n ? wipe_malloc(n) : NULL;
    if (n && !grown)
        return NULL;
    if (grown && had)
        memcpy(grown, p, had);
    wipe_free(p);
    return grown;
}

char *wipe_strdup(const char *s)
{
    size_t n = strlen(s) + 1;
    char *copy = wipe_malloc(n);

    return copy ? memcpy(copy, s, n) : NULL;
}
