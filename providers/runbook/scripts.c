/* Knows where a script of the table begins. Must not know what is in it. */
#include "scripts.h"

#include <string.h>

#include "../../reconciler/base/text.h"

void script_add(struct text *out, const char *name)
{
    const struct script_file *f = script_files;
    const char *s, *end;

    while (!str_eq(f->name, name))
        f++;
    for (s = f->bytes; str_starts(s, "# shellcheck ") && (end = strchr(s, '\n')); s = end + 1)
        continue;
    text_add(out, s);
}
