/* version: what this binary is, what it was built with, which api-versions it speaks. */
#include <string.h>

#include "../providers/azure/versions.h"
#include "commands.h"
#include "output.h"

#ifndef REINSTATE_LIBRARIES
#define REINSTATE_LIBRARIES ""      /* "NAME VERSION,NAME VERSION", from the Makefile */
#endif

static void api_versions(struct arena *a, struct text *t, struct value *list)
{
    text_add(t, "api-versions (Azure.spec.apiVersions names another one)\n");
    for (size_t i = 0; i < API_COUNT; i++) {
        const struct azure_api_row *row = &azure_apis[i];
        const char *retired = azure_api_retired(row, row->version);
        struct value *item = value_map(a);

        text_printf(t, "  %-16s  %-10s  %-18s  %s%s\n", row->name, row->version,
                    retired ? arena_printf(a, "ends on %s", retired) : "no end is known", row->of,
                    row->ended ? arena_printf(a, "; older ones end on %s", row->ended) : "");
        value_set_string(a, item, "name", row->name);
        value_set_string(a, item, "of", row->of);
        value_set_string(a, item, "version", row->version);
        value_set(a, item, "retired", retired ? value_string(a, retired) : value_null(a));
        if (row->ended) {
            value_set_string(a, item, "olderThan", row->ends_before);
            value_set_string(a, item, "olderRetired", row->ended);
            value_set_string(a, item, "source", row->source);
        }
        value_push(a, list, item);
    }
}

int command_version(const struct options *o)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {0};
    struct value *v = output_envelope(a, o), *libraries = value_map(a), *versions = value_list(a);
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
    api_versions(a, &t, versions);
    value_set(a, v, "apiVersions", versions);
    output_either(o, v, &t);
    return EXIT_DECLARED;
}
