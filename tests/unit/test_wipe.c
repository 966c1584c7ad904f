/* Memory for libraries that see secrets: what a test can see of it without reading freed memory. That nothing is left
 * behind, and nothing shows in core files, is seen by tests/secrets.sh. */
#include <stdint.h>
#include <string.h>

#include "../harness.h"

#include "../../reconciler/base/wipe.h"

static void test_growing(void)
{
    static const size_t sizes[] = {1, 24, 25, 1000, 1024, 1040, 70000, 300000, 16, 1};
    char *p = wipe_realloc(NULL, 8);

    CHECK(p);
    memcpy(p, "secret!", 8);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        size_t n = sizes[i] > 8 ? sizes[i] : 8;

        p = wipe_realloc(p, n);
        CHECK(p && memcmp(p, "secret!", 8) == 0);
        memset(p + 8, 'x', n - 8);
    }
    wipe_free(p);
    wipe_free(NULL);
}

/* Blocks of every size, all alive at once, each with bytes of its own. */
static void test_many(void)
{
    enum { MANY = 600 };
    static unsigned char *blocks[MANY];
    size_t wrong = 0;

    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++) {
            blocks[i] = wipe_malloc(i * i + 1);
            CHECK(blocks[i] && (uintptr_t)blocks[i] % 16 == 0);
            memset(blocks[i], (int)(i & 0xff), i * i + 1);
        }
        for (size_t i = 0; i < MANY; i++)
            for (size_t k = 0; k < i * i + 1; k += 97)
                wrong += blocks[i][k] != (i & 0xff);
        for (size_t i = 0; i < MANY; i++)
            wipe_free(blocks[i]);
    }
    CHECK(wrong == 0);
    CHECK(wipe_calloc(SIZE_MAX / 2, 3) == NULL);
}

static void test_copies(void)
{
    char *copy = wipe_strdup("text"), *zeros = wipe_calloc(3, 5), *room = wipe_malloc(10);

    CHECK(copy && strcmp(copy, "text") == 0);
    CHECK(zeros && memcmp(zeros, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 15) == 0);
    CHECK(room != NULL);
    wipe_free(copy);
    wipe_free(zeros);
    wipe_free(room);
}

int main(void)
{
    test_growing();
    test_many();
    test_copies();
    HARNESS_END();
}
