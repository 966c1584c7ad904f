/* This program's free and realloc, for every library in it: what they parsed is overwritten. M_PERTURB
 * does not reach the small blocks that malloc keeps at hand. Stands in no library: the programs of the tests are linked
 * without it, because valgrind needs its own. */
#include <errno.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#ifndef __has_feature
#define __has_feature(x) 0
#endif
#if !defined(__SANITIZE_ADDRESS__) && !__has_feature(address_sanitizer)
void __libc_free(void *p);

void free(void *p)
{
    int before = errno;

    if (p)
        explicit_bzero(p, malloc_usable_size(p));
    __libc_free(p);
    errno = before;
}

void *realloc(void *p, size_t n)
{
    size_t had = p ? malloc_usable_size(p) : 0;
    void *grown;

    if (p && n && n <= had)
        return p;
    grown = p && !n ? NULL : malloc(n);
    if (!grown && n)
        return NULL;
    if (had && grown)
        memcpy(grown, p, had);
    free(p);
    return grown;
}
#endif
