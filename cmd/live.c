/* Knows how what runs now is told in a few lines. Must not know how they are taken away again. */
#include "live.h"

#include <string.h>

#include "../reconciler/model/page.h"

/* Each line of `lines`, cut to the width where one word alone was wider, up to so many of them. */
static size_t lines_add(struct text *out, const char *lines, size_t width, size_t rows)
{
    size_t n = 0;

    for (const char *end; *lines && n < rows; lines = end + 1, n++) {
        size_t bytes = 0, columns = 0;

        end = strchr(lines, '\n');
        while (lines + bytes < end && columns < width) {
            bytes++;
            while (((unsigned char)lines[bytes] & 0xc0) == 0x80)
                bytes++;
            columns++;
        }
        text_add_n(out, lines, bytes);
        text_add_char(out, '\n');
    }
    return n;
}

static size_t count_lines(const struct text *t)
{
    size_t n = 0;

    for (size_t i = 0; i < t->len; i++)
        n += t->s[i] == '\n';
    return n;
}

static const char *head(struct arena *a, struct events *e)
{
    size_t over, all = events_steps(e, &over);
    int64_t ends_ms = events_run_ends_ms(e);

    return arena_printf(a, "%zu of %zu steps over%s", over, all,
                        ends_ms >= 0 ? arena_printf(a, "; all of them about %s", events_clock(a, ends_ms)) : "");
}

static const char *step_words(struct arena *a, const struct events *e, const struct running_step *r)
{
    size_t over, all = events_steps(e, &over);
    const char *place = r->number ? arena_printf(a, "step %zu of %zu, ", r->number, all) : "";

    return arena_printf(a, "%s%s: %s", place, r->id, running_words(a, e, r));
}

void live_write(struct text *out, struct events *e, size_t width, size_t rows)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct report_style style = {.width = width};
    size_t n, used;
    const struct running_step *running = events_running(e, &n);

    if (!n || rows < 2)
        return;
    used = lines_add(out, arena_printf(a, "%s\n", head(a, e)), width, 1);
    for (size_t i = 0; i < n; i++) {
        struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
        const struct page page = {.out = &t, .style = &style, .arena = a};

        page_line(&page, 0, PLAIN, action_glyph(running[i].action), "%s", step_words(a, e, &running[i]));
        /* The last line says how many steps found no room. */
        if (used + count_lines(&t) + (i + 1 < n) > rows) {
            lines_add(out, arena_printf(a, "  and %zu more\n", n - i), width, 1);
            return;
        }
        used += lines_add(out, text_str(&t), width, rows - used);
    }
}
