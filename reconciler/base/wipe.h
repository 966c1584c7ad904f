/* malloc and its family for libraries through whose buffers secrets pass: such memory is left out of core files, and
 * overwritten when it is given back. Safe to use from several threads. */
#ifndef REINSTATE_WIPE_H
#define REINSTATE_WIPE_H

#include <stddef.h>

void *wipe_malloc(size_t n);
void *wipe_calloc(size_t n, size_t size);
void *wipe_realloc(void *p, size_t n);
char *wipe_strdup(const char *s);
void wipe_free(void *p);

#endif
