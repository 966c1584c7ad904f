/* The declared estate: documents, what they refer to, and in which order they can be looked at. Pure. */
#ifndef REINSTATE_DESIRED_H
#define REINSTATE_DESIRED_H

#include "../base/index.h"
#include "../format/schema.h"

struct document;

/* A field that names something else: a document of the estate, or an id or URL that is not declared here. */
struct reference {
    const char *path;                 /* "spec.sources.1.azureBackup.from.0" */
    struct origin origin;
    const struct document *target;    /* or NULL, then exactly one of: */
    const char *id, *url;             /* beside a target: an id that means just what that document declares */
    bool spoken; /* an id, a URL or a scope speaks of what the target declares: nothing is relied on by that alone */
};

/* A thing in the world that a document speaks of by an id, a URL or a scope. */
struct spoken {
    const char *thing;                /* its one name, however it is written (struct naming) */
    bool apart;                       /* many speak of it that have nothing to do with each other */
    const char *path, *version;       /* where; the version of it that is meant, NULL: none */
    struct origin origin;
    const struct reference *named;    /* the reference that means just this thing, as if it named its document */
};

/* What the owner of the kinds tells of documents. All but `kinds` may be NULL. */
struct naming {
    const char *const *kinds;         /* the table's order, NULL-terminated */
    /* Pure. The one name of the thing that `doc` declares, by which ids, URLs and scopes are held against it; NULL:
     * none. Names differ in capitals at most. */
    char *(*stands_for)(struct arena *a, const struct document *doc);
    /* Pure. What `doc` speaks of otherwise than by the name of a document. Its references are resolved as far as they
     * are names. */
    const struct spoken *(*speaks_of)(struct arena *a, const struct document *doc, size_t *ret_count);
    /* Pure. What `doc` declares is a part of what this reference names: writing the one changes the other. */
    bool (*part_of)(const struct document *doc, const struct reference *ref);
    /* Pure. Of several documents of one thing, that of the greatest number is spoken of. */
    int (*fit)(const struct document *doc, const char *version);
};

struct document {
    const char *kind, *name, *address;      /* "Key", "payroll-os-key", "Key/payroll-os-key" */
    const struct value *root, *spec, *labels;
    struct origin origin;
    size_t index; /* position in the estate: kinds in the order of the table, then manifest order */
    size_t level;                           /* 0: refers to nothing; else 1 + the highest level it refers to */
    const struct reference *references;
    size_t n_references;
    const struct document *const *referrers;
    size_t n_referrers;
    const char *stands_for;                 /* the one name of what it declares (naming); NULL: none */
    const struct spoken *speaks_of;         /* what its ids, URLs and scopes mean, declared or not */
    size_t n_speaks_of;
    const struct document *connection;      /* what its implied reference (x-implied) means; NULL: its kind has none */
    const char *suspended;                  /* reason of reinstate/suspend, or NULL */
    bool observe_only;                      /* reinstate/mode: observe */
    /* The document, itself or one that it is a part of (naming.part_of), that is suspended or observed only: nothing is
     * written for this one. NULL: none is */
    const struct document *withheld;
    bool faulty;                            /* its own schema complains, or it names what is not there: see
                                               desired_sound */
};

struct desired {
    const struct document *const *documents;
    size_t count;
    size_t levels;
    struct index *by_kind, *by_address; /* documents of a kind, in their order; one document */
    struct index *by_thing;  /* documents that declare or speak of that thing (struct naming) */
    const struct value *raw; /* what was resolved: raw documents, templates replaced by what they stand for */
    const bool *beside;      /* by document index: see desired_beside; NULL: none is */
};

/* The document is not meant: it is looked at, because it bears on what is, and nothing is done or said about it. */
bool desired_beside(const struct desired *d, const struct document *doc);
/* The same estate with these documents beside it. */
const struct desired *desired_with_beside(struct arena *a, const struct desired *d, const bool *beside);

/* Expands templates (expand.h), checks the raw documents (values from manifest_read) against the schemas, fills in
 * defaults, resolves references, finds duplicates, dangling names (with a did-you-mean), implied references that
 * several documents could be meant by, and cycles named in full. What ids, URLs and scopes mean is resolved to the
 * documents that declare it: a guard that sees names only would let a revoked key be used that is written by its id.
 * World documents are left out with a warning. Faults go to diags; with n_errors > 0 the result must not be used, but
 * for further checks of what is sound (desired_sound). */
const struct desired *desired_resolve(struct arena *a, const struct schemas *schemas, const struct naming *naming,
                                      const struct value *docs, struct diags *diags);

/* Where a file could not be read: the faults of the documents that could, each by its schema. Names are not looked up,
 * since what they name may stand in that file. */
void desired_check(struct arena *a, const struct schemas *schemas, const char *const *kinds, const struct value *docs,
                   struct diags *diags);

/* Whether no fault stands in the document and in what it names or is named by, so that more can be said of it although
 * others have faults. Without any fault this is so of all. */
bool desired_sound(const struct desired *d, const struct document *doc);

/* Whose document it is, in words ("kind ConfigMap of v1"), where another tool's has got among ours; NULL: it is none.
 */
const char *desired_foreign(struct arena *a, const char *const *kinds, const struct value *raw);

const struct document *desired_find(const struct desired *d, const char *kind, const char *name);
/* The documents of a kind, one after the other: *at starts as NULL; NULL at the end. */
const struct document *desired_next(const struct desired *d, const char *kind, const struct index_entry **at);
/* The reference at a path of this document, or NULL. */
const struct reference *document_reference(const struct document *doc, const char *path);
/* The referenced document at a path, or NULL. */
const struct document *document_target(const struct document *doc, const char *path);

#endif
