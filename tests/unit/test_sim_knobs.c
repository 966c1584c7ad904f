/* The settings of the simulated Azure: what World.json says of them is what the simulator does without them. */
#include "harness.h"

#include "../../providers/sim/internal.h"
#include "../../reconciler/format/schema.h"

static const struct value *behaviour_fields(struct schemas *schemas)
{
    return value_at(schemas_get(schemas, "World.json"), "properties.spec.properties.behaviour.properties");
}

/* A duration of how long things take is no open question, unless it says who leaves it open. */
static void test_schema_names_every_knob(const struct value *fields)
{
    size_t n = 0;

    for (size_t i = 0; i < value_count(fields); i++) {
        const struct member *m = &fields->map.members[i];
        const struct knob *knob = NULL;

        if (!value_get(m->value, "x-source"))
            continue;
        n++;
        for (size_t k = 0; knob_at(k) && !knob; k++)
            knob = str_eq(knob_at(k)->name, m->key) ? knob_at(k) : NULL;
        CHECK_ROW(m->key, knob && str_eq(knob->otherwise, value_str_at(m->value, "default")));
        CHECK_ROW(m->key, value_get(m->value, "enum") || value_count(value_get(m->value, "examples")) > 1);
    }
    for (size_t k = 0; knob_at(k); k++) {
        CHECK_ROW(knob_at(k)->name, value_get(fields, knob_at(k)->name) != NULL);
        CHECK(k < n);
    }
}

int main(void)
{
    struct schemas *schemas;
    struct err err;

    if (schemas_new(schema_files, &schemas, &err) < 0)
        return 2;
    test_schema_names_every_knob(behaviour_fields(schemas));
    schemas_free(schemas);
    HARNESS_END();
}
