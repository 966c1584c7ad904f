/* version: what this binary is and what it was built with. */
#include <string.h>

#include "commands.h"
#include "output.h"

#ifndef REINSTATE_LIBRARIES
#define REINSTATE_LIBRARIES ""      /* "NAME VERSION,NAME VERSION", from the Makefile */
#endif

int command_version(const struct options *o)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {0};
    struct value *v = output_envelope(a, o), *libraries = value_map(a);
    char *list = arena_strdup(a, REINSTATE_LIBRARIES), *item;

    text_init(&t, TEXT_CEILING);
    text_printf(&t, "reinstate %s\n", REINSTATE_VERSION);
    while ((item = strsep(&list, ",")) && *item) {
        char *version = strchr(item, ' ');

        text_printf(&t, "  built with %s\n", item);
        if (version)
            *version++ = 0;
        value_set_string(a, libraries, item, version ? version : "");
    }
    value_set_string(a, v, "version", REINSTATE_VERSION);
    value_set(a, v, "libraries", libraries);
    output_either(o, v, &t);
    return EXIT_DECLARED;
}
