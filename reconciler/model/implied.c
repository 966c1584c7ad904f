/* Knows which document is meant where a reference is left out. Must not know what any kind means; schemas say. */
#include "implied.h"

#include "../base/text.h"

/* What the schema of a kind implies. */
struct implied {
    const char *field, *kind; /* the member of the spec, and the kind of what it means; NULL: nothing */
};

struct implying {
    struct resolver *r;
    struct implied *by_kind;               /* as r->kinds */
    const char *kind;                      /* of the documents that are implied */
    const struct document *only, *another; /* the first two of them, in the order of their files */
    bool told;
};

/* Once a kind: an estate has thousands of documents of few kinds. */
static void schemas_ask(struct implying *m)
{
    struct resolver *r = m->r;
    size_t n = 0;

    while (r->kinds[n])
        n++;
    m->by_kind = arena_array(r->arena, struct implied, n + 1);
    for (size_t i = 0; i < n; i++)
        m->by_kind[i].field =
            schema_implied(r->schemas, arena_printf(r->arena, "%s.json", r->kinds[i]), &m->by_kind[i].kind);
}

static struct implied implied_by(const struct implying *m, const struct document *doc)
{
    for (size_t i = 0; m->r->kinds[i]; i++)
        if (str_eq(m->r->kinds[i], doc->kind))
            return m->by_kind[i];
    return (struct implied){0};
}

static const char *path_of(const struct resolver *r, const char *field)
{
    return arena_printf(r->arena, "spec.%s", field);
}

/* Whose connection it most likely shares: that of the first thing it relies on, near or far, which names one. */
static const struct document *neighbour(const struct implying *m, const struct document *doc, size_t deep)
{
    enum { DEEP_MAX = 8 }; /* a circle of references is told elsewhere */
    const struct document *found = NULL;

    for (size_t i = 0; i < doc->n_references && !found && deep < DEEP_MAX; i++) {
        const struct document *target = doc->references[i].target;
        struct implied by = target ? implied_by(m, target) : (struct implied){0};

        if (by.field)
            found = document_target(target, path_of(m->r, by.field)) ? target : neighbour(m, target, deep + 1);
    }
    return found;
}

static void several_report(const struct implying *m, const struct document *doc, const char *field)
{
    struct resolver *r = m->r;
    const struct document *like = neighbour(m, doc, 0);
    const char *advice = like ? arena_printf(r->arena, "write spec: {%s: %s}, as %s does", field,
                                             document_target(like, path_of(r, field))->name, like->address)
                              : arena_printf(r->arena, "write spec: {%s: %s} or another of them", field, m->only->name);

    diags_add(r->diags, SEVERITY_ERROR, &doc->origin, advice,
              "%s does not say which %s document it uses, and there are several (%s, %s)", doc->address,
              m->kind, m->only->address, m->another->address);
}

static void candidates_find(struct implying *m, const char *kind)
{
    if (m->kind && str_eq(m->kind, kind))
        return;
    m->kind = kind;
    m->only = m->another = NULL;
    m->told = false;
    for (size_t i = m->r->count; i-- > 0;)
        if (str_eq(m->r->drafts[i].document.kind, kind)) {
            m->another = m->only;
            m->only = &m->r->drafts[i].document;
        }
}

static bool misspelt(const struct resolver *r, const char *kind)
{
    for (size_t i = 0; i < r->n_strays; i++)
        if (str_eq(r->strays[i].near, kind))
            return true;
    return false;
}

static void document_assign(struct implying *m, struct draft *draft)
{
    struct resolver *r = m->r;
    struct document *doc = &draft->document;
    const struct implied by = implied_by(m, doc);
    const char *kind = by.kind, *field = by.field;
    const struct value *given = field ? value_get(doc->spec, field) : NULL;

    if (!field)
        return;
    candidates_find(m, kind);
    doc->connection = given ? document_target(doc, path_of(r, field)) : m->only;
    doc->faulty = doc->faulty || !doc->connection;
    if (given && !doc->connection && !value_is(given, VALUE_STRING) && !draft->faulty)
        diags_add(r->diags, SEVERITY_ERROR, value_origin(given),
                  arena_printf(r->arena, "write the name of a document of kind %s", kind),
                  "spec.%s names no document of kind %s", field, kind);
    if (given)
        return;
    /* Of one name: that they are declared twice is the fault, and said there. */
    if (m->another && !str_eq(m->another->name, m->only->name))
        several_report(m, doc, field);
    /* One missing document is one fault, however many need it, and none where one of a misspelt kind may be it. */
    if (!m->only && !m->told && !misspelt(r, kind))
        diags_add(r->diags, SEVERITY_ERROR, &doc->origin,
                  arena_printf(r->arena, "declare a document of kind %s; `reinstate explain %s` shows its fields", kind,
                               kind),
                  "%s needs a document of kind %s, and there is none",
                  *doc->name ? doc->address : arena_printf(r->arena, "this %s", doc->kind), kind);
    m->told = m->told || !m->only;
}

void implied_assign(struct resolver *r)
{
    struct implying m = {.r = r};

    schemas_ask(&m);
    for (size_t i = 0; i < r->count; i++)
        document_assign(&m, &r->drafts[i]);
}
