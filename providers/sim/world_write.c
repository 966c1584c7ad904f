/* Knows how the state of the simulated Azure is written back as a World. Must not know what it means. */
#include "data.h"
#include <stdio.h>
#include <stdlib.h>

#include "../../reconciler/base/file.h"

#include "../../reconciler/format/json.h"

const struct value *sim_world(struct arena *a, struct sim *s)
{
    struct value *doc = value_map(a), *spec = value_copy(a, s->spec);

    value_set_string(a, doc, "apiVersion", "reinstate/v1");
    value_set_string(a, doc, "kind", "World");
    if (s->metadata)
        value_set(a, doc, "metadata", value_copy(a, s->metadata));
    value_set_string(a, spec, "now", time_format(a, s->now_ms));
    world_readdress(s, a, spec, false);
    value_set(a, doc, "spec", spec);
    return doc;
}

void world_write_out(struct sim *s)
{
    struct arena *a;
    struct text t;
    struct err err;

    s->dirty = false;
    if (!s->world_out)
        return;
    a = arena_new();
    text_init(&t, TEXT_CEILING);
    json_write(&t, sim_world(a, s), JSON_INDENTED);
    text_add_char(&t, '\n');
    if (t.overflowed)
        err_set(&err, ERR_INVALID, "%s cannot be written: the world is too large", s->world_out);
    if (t.overflowed || file_replace(s->world_out, text_str(&t), t.len, &err) < 0) {
        fprintf(stderr, "reinstate: the simulated world is lost: %s\n", err.text);
        exit(1);
    }
    text_release(&t);
    arena_free(a);
}
