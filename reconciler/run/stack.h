/* Stacks for tasks: 256 KiB (1 MiB under AddressSanitizer) above a guard page, kept for the next task. */
#ifndef REINSTATE_STACK_H
#define REINSTATE_STACK_H

#include "../base/base.h"

#if defined(__SANITIZE_ADDRESS__)
#define STACK_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STACK_ASAN 1
#endif
#endif
#ifndef STACK_ASAN
#define STACK_ASAN 0
#endif

enum { STACK_BYTES = (STACK_ASAN ? 1024 : 256) * 1024 };

struct stack {
    struct stack *next;
    char *guard;                /* start of the mapping: one page that must not be touched */
    char *bottom;               /* lowest usable byte */
    unsigned valgrind_id;
};

struct stack_pool {
    struct stack *kept;
    size_t n_kept;
};

struct stack *stack_take(struct stack_pool *pool);
void stack_give(struct stack_pool *pool, struct stack *stack);
void stack_pool_release(struct stack_pool *pool);

#endif
