/* Knows which tokens live. Must not know where they come from. */
#include "token_store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct token_store {
    struct token *first;
};

struct token *token_store_find(struct credential *cr, const struct cloud *cloud, const char *tenant,
                               enum audience audience)
{
    struct token **at;

    if (!cr->store)
        cr->store = xcalloc(1, sizeof(*cr->store));
    for (at = &cr->store->first; *at; at = &(*at)->next)
        if ((*at)->audience == audience && (*at)->cloud == cloud && strcmp((*at)->tenant, tenant) == 0)
            return *at;
    *at = xcalloc(1, sizeof(**at));
    (*at)->cloud = cloud;
    (*at)->audience = audience;
    snprintf((*at)->tenant, sizeof((*at)->tenant), "%s", tenant);
    return *at;
}

void token_store_free(struct credential *cr)
{
    for (struct token *t = cr->store ? cr->store->first : NULL, *next; t; t = next) {
        next = t->next;
        secret_release(&t->header);
        free(t->claims);
        free(t);
    }
    free(cr->store);
    cr->store = NULL;
}
