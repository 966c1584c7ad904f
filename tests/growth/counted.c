/* Linked into a program whose code calls out at every basic block (-fsanitize-coverage=trace-pc): counts the work that
 * a run does by the place where it is done, and what it takes from the heap, and writes both to the file that
 * REINSTATE_COUNTS names when the program ends. Counts, not timings: they are the same on a busy machine. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { PLACES = 1 << 18 };

static struct place {
    uintptr_t at;
    uint64_t times;
} places[PLACES];
static uint64_t blocks, allocations, bytes;

extern char __executable_start;
void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t size);
void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
    uintptr_t at = (uintptr_t)__builtin_return_address(0) - (uintptr_t)&__executable_start;
    size_t i = (at * 0x9E3779B97F4A7C15u) >> 46;

    while (places[i].at && places[i].at != at)
        i = (i + 1) % PLACES;
    places[i].at = at;
    places[i].times++;
    blocks++;
}

void *__wrap_malloc(size_t size)
{
    allocations++;
    bytes += size;
    return __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    allocations++;
    bytes += n * size;
    return __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
    allocations++;
    bytes += size;
    return __real_realloc(p, size);
}

static long peak_kb(void)
{
    FILE *f = fopen("/proc/self/status", "r");
    char line[256];
    long kb = 0;

    while (f && fgets(line, sizeof(line), f))
        sscanf(line, "VmHWM: %ld", &kb);
    if (f)
        fclose(f);
    return kb;
}

static void __attribute__((destructor)) tell(void)
{
    const char *path = getenv("REINSTATE_COUNTS");
    FILE *f = path ? fopen(path, "w") : NULL;

    if (!f)
        return;
    fprintf(f, "blocks %llu\nallocations %llu\nbytes %llu\npeak-kb %ld\n", (unsigned long long)blocks,
            (unsigned long long)allocations, (unsigned long long)bytes, peak_kb());
    for (size_t i = 0; i < PLACES; i++)
        if (places[i].at)
            fprintf(f, "0x%llx %llu\n", (unsigned long long)places[i].at, (unsigned long long)places[i].times);
    fclose(f);
}
