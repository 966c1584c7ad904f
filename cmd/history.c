/* Knows where a history is kept and how it is read and replaced there. Must not know
 * what it says (providers/backup/history.c). */
#include "history.h"

#include <string.h>
#include <unistd.h>

#include "../providers/backup/history.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/manifest.h"
#include "commands.h"
#include "output.h"

enum { HISTORY_BYTES_MAX = 8 * 1024 * 1024 };

/* --- reading ------------------------------------------------------------------------------------------------------ */

static int adopt(struct session *s, const struct value *docs, struct err *err)
{
    struct history *h = s->history;
    const struct value *found = value_item(docs, 0);

    if (!s->diags.n_errors && value_count(docs) != 1)
        return err_set(err, ERR_INVALID, "--history %s holds %zu documents where one is wanted", h->name,
                       value_count(docs));
    if (!s->diags.n_errors)
        schema_check(s->schemas, "history.json", found, &s->diags);
    if (s->diags.n_errors)
        return err_set(err, ERR_INVALID, "the history has faults");
    if (history_fits(found, s->simulated != NULL, err) < 0)
        return err_note(err, "--history %s", h->name);
    h->document = value_copy(s->arena, found);
    s->connections.history = value_get(h->document, "records");
    return 0;
}

int history_open(struct session *s, struct azure *azure, enum http_mode mode)
{
    struct history *h;
    struct value *docs = value_list(s->arena);

    if (!s->options->history)
        return 0;
    h = s->history = arena_new_of(s->arena, struct history);
    h->name = s->options->history;
    h->azure = azure;
    h->writing = mode == HTTP_WRITING;
    h->in_blob = str_starts_nocase(h->name, "https://");
    h->document = history_new(s->arena, s->simulated != NULL);
    s->connections.history = value_get(h->document, "records");
    if (h->in_blob) {
        if (blob_place_of_url(s->arena, azure_cloud(azure), h->name, &h->place, &s->err) < 0)
            return err_note(&s->err, "--history");
        return h->place.name
                   ? 0
                   : err_set(&s->err, ERR_INVALID, "--history %s names a container, not a blob in it", h->name);
    }
    h->read = true;
    if (access(h->name, F_OK) != 0)
        return 0;
    manifest_read_file(s->arena, h->name, &manifest_default_limits, docs, &s->diags);
    return adopt(s, docs, &s->err);
}

int history_read(struct session *s, struct call *c, struct err *err)
{
    struct history *h = s->history;
    struct secret text cleanup(secret_release) = {0};
    struct value *docs = value_list(s->arena);

    if (!h || h->read)
        return 0;
    h->read = true;
    h->etag = NULL;
    if (blob_read_open(h->azure, c, s->arena, &h->place, HISTORY_BYTES_MAX, &text, &h->etag, err) < 0) {
        if (err->class == ERR_CANCELLED)
            return -(int)err->class;
        if (err->class == ERR_NOT_FOUND)
            return 0;
        h->unreadable = true;
        talk("The history could not be read, so what it knows is left out: %s", err->text);
        return 0;
    }
    manifest_read(s->arena, h->name, text.bytes ? text.bytes : "", text.len, &manifest_default_limits, docs, &s->diags);
    return adopt(s, docs, err);
}

/* --- keeping ------------------------------------------------------------------------------------------------------ */

void history_learn(struct session *s, const struct look *look)
{
    struct history *h = s->history;
    struct text t cleanup(text_release) = {0};
    struct err err;

    if (!h)
        return;
    for (size_t i = 0; i < look->view.desired->count; i++)
        if (history_take(s->arena, h->document, view_facts(&look->view, look->view.desired->documents[i])))
            h->grown = true;
    if (h->grown && h->in_blob && !h->writing && !h->told) {
        talk("What is new was not put into the history at %s: this command only reads (apply and watch write it).",
             h->name);
        h->told = true;
    }
    if (!h->grown || h->in_blob)
        return;
    text_init(&t, HISTORY_BYTES_MAX);
    manifest_write(&t, h->document);
    /* Half a history must not take the place of a whole one. */
    if (t.overflowed)
        output_lack("The history was not written: it would have more than %d MB.", HISTORY_BYTES_MAX >> 20);
    else if (file_replace(h->name, text_str(&t), t.len, &err) < 0)
        output_lack("The history was not written: %s", err.text);
    h->grown = false;
}

struct keeping {
    struct history *history;
    struct arena *arena;
    struct err err;
    int rc;
};

static void keep_task(struct call *c, void *arg)
{
    struct keeping *k = arg;
    struct history *h = k->history;
    const struct permit_write write = {
        .method = HTTP_PUT,
        .fragment = str_lower(k->arena, arena_printf(k->arena, "/%s/%s", h->place.container, h->place.name)),
    };
    struct permit permit = {.step = "history", .writes = &write, .n_writes = 1, .budget = 3};
    struct secret bytes cleanup(secret_release) = {0};
    struct blob_content content = {.bytes = &bytes, .type = "application/yaml", .etag = h->etag};
    struct text t cleanup(text_release) = {0};

    text_init(&t, HISTORY_BYTES_MAX);
    manifest_write(&t, h->document);
    if (t.overflowed) {
        k->rc = err_set(&k->err, ERR_INVALID, "it would have more than %d MB", HISTORY_BYTES_MAX >> 20);
        return;
    }
    secret_set(&bytes, text_str(&t), t.len);
    call_set_context(c, &permit);
    k->rc = blob_write(h->azure, c, k->arena, &h->place, &content, NULL, &k->err);
    call_set_context(c, NULL);
}

void history_keep(struct session *s)
{
    struct history *h = s->history;
    struct arena *a cleanup(arena_freep) = arena_new();
    struct keeping k = {.history = h, .arena = a};

    if (!h || !h->in_blob || !h->grown || h->unreadable)
        return;
    if (session_may_write(s, &k.err) < 0)
        k.rc = -ERR_BLOCKED;
    else
        session_run(s, keep_task, &k);
    /* What was written is read again before the next look: whoever wrote meanwhile is heard, and the etag
     * is the new one. */
    h->read = h->grown = false;
    if (k.rc < 0)
        talk(k.err.class == ERR_CONFLICT ? "The history was not written, because another run has just done so: %s"
                                         : "The history was not written: %s",
             k.err.text);
}
