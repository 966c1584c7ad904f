/* export: manifests for what exists behind a Recovery Services vault, so that an estate without a line of YAML comes
 * under plan, drift and forecast. Reads only; writes to standard output or into a folder. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "export.h"
#include "form.h"
#include "load.h"
#include "output.h"
#include "session.h"
#include "../reconciler/base/file.h"
#include "../reconciler/format/json.h"

/* --- where VMs would come back ------------------------------------------------------------------------------------ */

struct restore_place {
    const char *group, *subnet, *staging;
};

/* "GROUP,SUBNET,STAGING": a name in that group, or an ARM id. */
static int place_parse(struct arena *a, const char *text, const char *subscription, struct restore_place *ret,
                       struct err *err)
{
    const char *comma = strchr(text, ','), *second = comma ? strchr(comma + 1, ',') : NULL, *slash;
    struct restore_place p;

    if (!second || strchr(second + 1, ',') || comma == text || second == comma + 1 || !second[1])
        return err_set(err, ERR_INVALID, "--restore-to: \"%s\" is not GROUP,SUBNET,STAGING", text);
    p.group = arena_strndup(a, text, (size_t)(comma - text));
    p.subnet = arena_strndup(a, comma + 1, (size_t)(second - comma - 1));
    p.staging = second + 1;
    slash = strchr(p.subnet, '/');
    if (p.subnet[0] != '/' && (!slash || !slash[1]))
        return err_set(err, ERR_INVALID, "--restore-to: the subnet \"%s\" is neither VNET/SUBNET nor an ARM id",
                       p.subnet);
    if (p.subnet[0] != '/')
        p.subnet = arena_printf(a, "%s/subnets/%s",
                                arm_id(a, subscription, p.group, "Microsoft.Network/virtualNetworks",
                                       arena_strndup(a, p.subnet, (size_t)(slash - p.subnet))),
                                slash + 1);
    if (p.staging[0] != '/')
        p.staging = arm_id(a, subscription, p.group, "Microsoft.Storage/storageAccounts", p.staging);
    *ret = p;
    return 0;
}

/* --- as text ------------------------------------------------------------------------------------------------------ */

static void write_head(struct text *t, struct arena *a, const struct discovery *d)
{
    text_say(t, "# What reinstate export found behind %s.\n", value_str_at(d->found, "vault"));
    text_add(t, "# Fields are as they were observed. readiness and labels are yours to add.\n");
    if (!d->restores)
        text_add(t, "# Where the VMs would come back is not said: add a RestoredVirtualMachine for each, or give\n"
                    "# --restore-to GROUP,SUBNET,STAGING.\n");
    for (size_t i = 0; i < value_count(d->notes); i++)
        text_say(t, "# %s\n", discovery_note(a, value_item(d->notes, i)));
}

/* --- as files ----------------------------------------------------------------------------------------------------- */

/* One file a kind, but one for each VM. */
static char *file_of(struct arena *a, const char *folder, const struct value *doc)
{
    const char *kind = value_str_at(doc, "kind");

    if (str_ends_nocase(kind, "VirtualMachine"))
        return arena_printf(a, "%s/%s-%s.yaml", folder, kind, value_str_at(doc, "metadata.name"));
    return arena_printf(a, "%s/%s.yaml", folder, kind);
}

static struct value *files_of(struct arena *a, const char *folder, const struct value *documents)
{
    struct value *files = value_map(a);

    for (size_t i = 0; i < value_count(documents); i++) {
        char *file = file_of(a, folder, value_item(documents, i));

        if (!value_get(files, file))
            value_set(a, files, file, value_list(a));
        value_push(a, value_get(files, file), value_item(documents, i));
    }
    return files;
}

/* All or nothing, as far as what is there already goes. */
static int write_files(struct session *s, const struct discovery *d)
{
    const struct value *files = files_of(s->arena, s->options->out, d->documents);

    if (mkdir(s->options->out, 0777) < 0 && errno != EEXIST)
        return err_set(&s->err, ERR_INVALID, "%s cannot be made: %s", s->options->out, strerror(errno));
    for (size_t i = 0; i < files->map.count && !s->options->force; i++)
        if (access(files->map.members[i].key, F_OK) == 0) {
            err_set(&s->err, ERR_INVALID, "%s is there already; nothing was written", files->map.members[i].key);
            return err_advise(&s->err, "name another folder, or give --force");
        }
    for (size_t i = 0; i < files->map.count; i++) {
        struct text t cleanup(text_release) = {0};

        text_init(&t, TEXT_CEILING);
        form_write(&t, s->schemas, files->map.members[i].value);
        TRY(file_replace(files->map.members[i].key, text_str(&t), t.len, &s->err));
        talk("%s", files->map.members[i].key);
    }
    return 0;
}

/* --- beside what is declared -------------------------------------------------------------------------------------- */

static const char *place_of(struct arena *a, const struct document *doc)
{
    return arena_printf(a, "%s:%d:%d", doc->origin.file ? doc->origin.file : "(no file)", doc->origin.line,
                        doc->origin.column);
}

/* Documents of a kind without an identity stand for what they name. */
static bool same_thing(struct arena *a, const struct document *one, const struct document *other)
{
    const char *x = load_identity(a, one), *y = load_identity(a, other);

    return (!x && !y) || str_eq_nocase(x, y);
}

/* What the manifests given with -f declare already is not written again, so that both load together; where more was
 * found than they say (another machine that carries the key), that is said. */
static int leave_out(struct session *s, const struct desired *declared, struct discovery *d)
{
    struct value *kept = value_list(s->arena);

    for (size_t i = 0; i < value_count(d->documents); i++) {
        struct value *doc = value_item(d->documents, i);
        const char *kind = value_str_at(doc, "kind"), *name = value_str_at(doc, "metadata.name");
        const struct document *here = desired_find(declared, kind, name),
                              *found = desired_find(s->estate.desired, kind, name);

        if (!here) {
            value_push(s->arena, kept, doc);
        } else if (!found || !same_thing(s->arena, here, found)) {
            err_set(&s->err, ERR_INVALID, "%s would be declared twice: the one at %s is another thing", here->address,
                    place_of(s->arena, here));
            return err_advise(&s->err, "give that one another name; nothing was written");
        } else if (!value_equal(here->spec, found->spec)) {
            talk("%s is declared already, at %s, and left out here; found was more or other than it says: %s",
                 here->address, place_of(s->arena, here), json_string(s->arena, value_get(doc, "spec"), JSON_COMPACT));
        }
    }
    d->documents = kept;
    return 0;
}

/* --- the command -------------------------------------------------------------------------------------------------- */

static int discover(struct session *s, const struct options *o, struct discovery *d)
{
    struct restore_place place = {0};

    TRY(session_discover(
        s, o, (struct discovery_request){.vault_id = o->vault, .vault_name = o->vault_name, .item = o->item}, d));
    if (o->restore_to) {
        TRY(place_parse(s->arena, o->restore_to, value_str_at(d->found, "subscription"), &place, &s->err));
        discovery_restore_to(s->arena, d, place.group, place.subnet, place.staging);
    }
    return 0;
}

int export_text(struct session *s, const struct options *o, struct text *out)
{
    struct discovery d = {0};

    TRY(discover(s, o, &d));
    TRY(session_adopt(s, d.documents));
    write_head(out, s->arena, &d);
    form_write(out, s->schemas, d.documents);
    return 0;
}

static int export(struct session *s, const struct options *o, struct discovery *d)
{
    const struct desired *declared;

    TRY(discover(s, o, d));
    declared = s->estate.desired;
    /* The documents are read back first, so that nobody gets manifests that this program would refuse. */
    TRY(session_adopt(s, d->documents));
    if (declared)
        TRY(leave_out(s, declared, d));
    return o->out ? write_files(s, d) : 0;
}

int command_export(const struct options *o)
{
    struct session s cleanup(session_close) = {0};
    struct text t cleanup(text_release) = {0};
    struct discovery d = {0};
    struct value *answer;

    if (export(&s, o, &d) < 0)
        return session_failed(&s);
    text_init(&t, TEXT_CEILING);
    write_head(&t, s.arena, &d);
    form_write(&t, s.schemas, d.documents);
    answer = output_envelope(s.arena, o);
    value_set(s.arena, answer, "documents", d.documents);
    value_set(s.arena, answer, "notes", d.notes);
    if (!o->out || o->output == OUTPUT_JSON)
        output_document(o, answer, &t);
    session_label(&s);
    return EXIT_DECLARED;
}
