/* Knows how what an id, a URL or a scope means is found among the documents. Must not know how things are named. */
#include "drafts.h"

#include "../base/text.h"

void draft_referred(struct arena *a, struct draft *target, const struct draft *by)
{
    size_t n = target->document.n_referrers;

    /* What one document refers to is resolved at once, so that it can only be the last one. */
    if (!n || target->referrers[n - 1] != &by->document)
        arena_push(a, target->referrers, target->document.n_referrers, &by->document);
}

/* The first of the best. Only what comes before can be relied on: the rest would be a circle. */
static struct draft *meant(const struct resolver *r, const struct index *things, const struct draft *by,
                           const struct spoken *s)
{
    struct draft *best = NULL;

    for (const struct index_entry *at = index_find(things, s->thing); at; at = at->next) {
        struct draft *one = at->thing;

        if (one->document.index < by->document.index &&
            (!best || r->naming->fit(&one->document, s->version) > r->naming->fit(&best->document, s->version)))
            best = one;
    }
    return best;
}

static bool refers_already(const struct draft *by, const struct draft *to)
{
    for (size_t i = 0; i < by->document.n_references; i++)
        if (by->references[i].target == &to->document)
            return true;
    return false;
}

/* As if it were named by its document. */
static void resolve_named(const struct resolver *r, const struct index *things, struct draft *by)
{
    for (size_t i = 0; i < by->document.n_speaks_of; i++) {
        const struct spoken *s = &by->document.speaks_of[i];
        struct draft *target = s->named ? meant(r, things, by, s) : NULL;

        if (!target)
            continue;
        by->references[s->named - by->references].target = &target->document;
        draft_referred(r->arena, target, by);
    }
}

static void resolve_spoken(const struct resolver *r, const struct index *things, struct draft *by)
{
    for (size_t i = 0; i < by->document.n_speaks_of; i++) {
        const struct spoken *s = &by->document.speaks_of[i];
        struct draft *target = s->named ? NULL : meant(r, things, by, s);
        struct reference ref = {.path = s->path, .origin = s->origin, .spoken = true};

        if (!target || refers_already(by, target))
            continue;
        ref.target = &target->document;
        arena_push(r->arena, by->references, by->document.n_references, ref);
        draft_referred(r->arena, target, by);
    }
    by->document.references = by->references;
}

void naming_resolve(struct resolver *r)
{
    struct index *things = index_new(r->arena, INDEX_NOCASE);

    /* What is not as its schema wants it has no name, and is not used. */
    if (r->diags->n_errors)
        return;
    for (size_t i = 0; r->naming->stands_for && i < r->count; i++) {
        struct document *doc = &r->drafts[i].document;

        doc->stands_for = r->naming->stands_for(r->arena, doc);
        index_put(things, doc->stands_for, &r->drafts[i]);
    }
    for (size_t i = 0; r->naming->speaks_of && i < r->count; i++) {
        struct document *doc = &r->drafts[i].document;

        doc->speaks_of = r->naming->speaks_of(r->arena, doc, &doc->n_speaks_of);
        resolve_named(r, things, &r->drafts[i]);
        /* Their references move when one is added: after the named ones, which are found by where they stand. */
        resolve_spoken(r, things, &r->drafts[i]);
    }
}
