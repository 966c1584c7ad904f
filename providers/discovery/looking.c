/* Knows how what was found, and what could not be looked at, is noted. Must not know where to look. */
#include "looking.h"

#include <stdarg.h>

#include "../documents/common.h"
#include "found.h"

void found_note(struct arena *a, struct value *found, const char *about, const char *fmt, ...)
{
    struct value *note = value_map(a);
    va_list ap;

    va_start(ap, fmt);
    value_set_string(a, note, "about", about);
    value_set_string(a, note, "text", arena_vprintf(a, fmt, ap));
    va_end(ap);
    value_push(a, value_get(found, "notes"), note);
}

int looking_failed(const struct looking *l, struct value *thing, const char *what, struct err *err)
{
    if (err->class == ERR_CANCELLED)
        return -(int)err->class;
    value_set_string(l->a, thing, "state", err->class == ERR_NOT_FOUND ? "absent" : "unseen");
    if (err->class != ERR_NOT_FOUND)
        value_set(l->a, thing, "why", value_format(l->a, "%s: %s", what, err->text));
    if (err->class != ERR_NOT_FOUND)
        value_set_string(l->a, thing, "fix", failed_read_fix(err));
    return 0;
}

struct value *looking_found_by(const struct value *list, const char *member, const char *text)
{
    for (size_t i = 0; i < value_count(list); i++)
        if (str_eq_nocase(value_str_at(value_item(list, i), member), text))
            return value_item(list, i);
    return NULL;
}
