/* Knows where the memory of a task's stack comes from, and what sanitizers and valgrind must be told about it. Must not
 * know what runs on it. */
#include "stack.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../base/arena.h"

#if STACK_ASAN
#include <sanitizer/asan_interface.h>
#include <sanitizer/lsan_interface.h>
#endif
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#define STACK_VALGRIND 1
#else
#define STACK_VALGRIND 0
#endif

enum { STACKS_KEPT = 256 };

static void stack_tools_enter(struct stack *stack)
{
#if STACK_ASAN
    /* A pointer held only by a suspended task is no leak. */
    __lsan_register_root_region(stack->bottom, STACK_BYTES);
#endif
    (void)stack;
}

static void stack_tools_leave(struct stack *stack)
{
#if STACK_ASAN
    __lsan_unregister_root_region(stack->bottom, STACK_BYTES);
    /* The first frame never returned, so its red zones are still set. */
    __asan_unpoison_memory_region(stack->bottom, STACK_BYTES);
#endif
    (void)stack;
}

static struct stack *stack_make(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    struct stack *stack = xcalloc(1, sizeof(*stack));
    void *map = mmap(NULL, page + STACK_BYTES, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);

    if (map == MAP_FAILED || mprotect(map, page, PROT_NONE) < 0)
        out_of_memory(" for another task's stack");
    stack->guard = map;
    stack->bottom = stack->guard + page;
#if STACK_VALGRIND
    stack->valgrind_id = VALGRIND_STACK_REGISTER(stack->bottom, stack->bottom + STACK_BYTES);
#endif
    return stack;
}

static void stack_unmake(struct stack *stack)
{
#if STACK_VALGRIND
    VALGRIND_STACK_DEREGISTER(stack->valgrind_id);
#endif
    munmap(stack->guard, (size_t)(stack->bottom - stack->guard) + STACK_BYTES);
    free(stack);
}

struct stack *stack_take(struct stack_pool *pool)
{
    struct stack *stack = pool->kept;

    if (stack) {
        pool->kept = stack->next;
        pool->n_kept--;
    } else {
        stack = stack_make();
    }
    stack_tools_enter(stack);
    return stack;
}

void stack_give(struct stack_pool *pool, struct stack *stack)
{
    stack_tools_leave(stack);
    if (pool->n_kept >= STACKS_KEPT) {
        stack_unmake(stack);
        return;
    }
    stack->next = pool->kept;
    pool->kept = stack;
    pool->n_kept++;
}

void stack_pool_release(struct stack_pool *pool)
{
    while (pool->kept) {
        struct stack *stack = pool->kept;

        pool->kept = stack->next;
        stack_unmake(stack);
    }
    pool->n_kept = 0;
}
