/* Memory by lifetime: many small allocations, released together. Allocation never fails: when memory is out the
 * program stops with one line. In sanitizer builds every object is its own malloc, so that use after free is seen. */
#ifndef REINSTATE_ARENA_H
#define REINSTATE_ARENA_H

#include <stdarg.h>
#include "base.h"

struct arena;

struct arena *arena_new(void);
void arena_free(struct arena *a);              /* NULL is fine */
void arena_freep(struct arena **a);            /* for cleanup() */

void *arena_alloc(struct arena *a, size_t size);               /* zeroed, aligned for any type */
void *arena_grow(struct arena *a, const void *old, size_t old_size, size_t new_size);   /* copies; the rest is zeroed */
size_t arena_bytes(const struct arena *a);                     /* handed out so far */
/* `release(what)` is called when the arena is freed: objects of it may point into what is kept elsewhere for many. */
void arena_keep(struct arena *a, void (*release)(void *what), void *what);

char *arena_strdup(struct arena *a, const char *s);            /* NULL in, NULL out */
char *arena_strndup(struct arena *a, const char *s, size_t n);
char *arena_printf(struct arena *a, const char *fmt, ...) printf_like(2, 3);
char *arena_vprintf(struct arena *a, const char *fmt, va_list ap) printf_like(2, 0) __attribute__((nonnull(2)));

#define arena_new_of(a, type) ((type *)arena_alloc((a), sizeof(type)))
#define arena_array(a, type, n) ((type *)arena_alloc((a), sizeof(type) * (n)))

/* Ends the program: a line on standard error, exit code 1. `what` follows "out of memory", or is NULL. */
void out_of_memory(const char *what) __attribute__((noreturn));

/* malloc that stops the program instead of returning NULL; for memory that outlives arenas. */
void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s);

/* Appends to an arena array `items` of `*count` members that doubles as it grows: capacity is
 * derived from the count. */
#define arena_push(a, items, count, item)                                                                          \
    do {                                                                                                           \
        size_t push_n_ = (count);                                                                                  \
        if (push_n_ == 0)                                                                                          \
            (items) = arena_alloc((a), 4 * sizeof(*(items)));                                                      \
        else if (push_n_ >= 4 && (push_n_ & (push_n_ - 1)) == 0)                                                   \
            (items) = arena_grow((a), (items), push_n_ * sizeof(*(items)), 2 * push_n_ * sizeof(*(items)));        \
        (items)[push_n_] = (item);                                                                                 \
        (count) = push_n_ + 1;                                                                                     \
    } while (0)

#endif
