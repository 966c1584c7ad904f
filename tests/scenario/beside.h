/* Files beside the manifests, as rows name them, and what is found in them after a run. */
#ifndef REINSTATE_BESIDE_H
#define REINSTATE_BESIDE_H

/* --- files beside the manifests ----------------------------------------------------------------------------------- */

/* The content of a blob of the world, as it was put: it may hold any byte. */
static void blob_place(struct scenario *s, const char *path, const char *name)
{
    const struct value *blobs = value_at(s->world, "spec.blobs");
    struct secret content cleanup(secret_release) = {0};
    const char *text = NULL;
    FILE *f = fopen(path, "w");
    struct err ignored;

    for (size_t i = 0; i < value_count(blobs); i++)
        if (str_eq(value_str_at(value_item(blobs, i), "name"), name))
            text = value_str_at(value_item(blobs, i), "content");
    if (!f || !text || crypt_base64_decode(text, strlen(text), BASE64_STANDARD, &content, &ignored) < 0 ||
        fwrite(content.bytes, 1, content.len, f) != content.len)
        fault(s, "the world has no such blob to make a file of", name);
    if (f)
        fclose(f);
}

static void files_place(struct scenario *s, const struct value *files)
{
    for (size_t i = 0; i < value_count(files); i++) {
        const struct member *m = &files->map.members[i];

        if (value_str(m->value))
            file_write(in_dir(s, m->key), value_str(m->value));
        else
            blob_place(s, in_dir(s, m->key), value_str_at(m->value, "blob"));
    }
}

static void expect_files(struct scenario *s, const struct value *files, bool there)
{
    for (size_t i = 0; i < value_count(files); i++) {
        const struct member *m = &files->map.members[i];

        expect_texts(s, m->value, file_read(s->arena, in_dir(s, m->key)), there, m->key);
    }
}

static void expect_object(struct scenario *s, const struct schemas *schemas, const char *schema, const char *text,
                          size_t len)
{
    struct diags diags;
    struct value *v;
    struct err err;

    diags_init(&diags, s->arena);
    if (json_parse(s->arena, text, len, &v, &err) < 0) {
        fault(s, "the output is no JSON", err.text);
        return;
    }
    schema = value_get(v, "event") ? "event.json" : schema;
    schema_check(schemas, schema, v, &diags);
    for (size_t i = 0; i < diags.count; i++)
        fault(s, schema, diag_format(s->arena, &diags.items[i]));
}

/* What a run printed with -o json is as the schema of that name says; of several lines each is an object, and events
 * are as theirs says. */
static void expect_schema(struct scenario *s, const char *schema)
{
    struct schemas *schemas cleanup(schemas_freep) = NULL;
    const char *text = file_read(s->arena, in_dir(s, "out"));
    struct err err;

    if (!schema)
        return;
    if (schemas_new(schema_files, &schemas, &err) < 0)
        fault(s, "the schemas cannot be read", err.text);
    else if (!str_starts(text, "{\""))
        expect_object(s, schemas, schema, text, strlen(text));
    else
        for (size_t n; *text; text += n + (text[n] == '\n')) {
            n = strcspn(text, "\n");
            expect_object(s, schemas, schema, text, n);
        }
}

static void run_one(struct scenario *s, const struct value *run, size_t number)
{
    size_t before = s->faults;
    int code;

    edit(s, value_get(run, "world"), value_get(run, "manifests"));
    world_place(s);
    yaml_write(in_dir(s, "estate.yaml"), s->documents);
    files_place(s, value_get(run, "files"));
    code = run_binary(s, run, in_dir(s, "journal"));
    world_follow(s);
    if (code != value_int_at(run, "exit", 0))
        fault(s, arena_printf(s->arena, "run %zu: exit code %d", number + 1, code),
              arena_printf(s->arena, "expected %lld", (long long)value_int_at(run, "exit", 0)));
    {
        const char *talk = arena_printf(s->arena, "%s\n%s", file_read(s->arena, in_dir(s, "out")),
                                        file_read(s->arena, in_dir(s, "err")));
        const char *world = file_read(s->arena, in_dir(s, "world-out.yaml"));

        expect_texts(s, value_get(run, "says"), talk, true, "the output");
        expect_texts(s, value_get(run, "silent"), talk, false, "the output");
        expect_texts(s, value_get(run, "world-has"), world, true, "the world");
        expect_texts(s, value_get(run, "world-lacks"), world, false, "the world");
    }
    expect_schema(s, value_str_at(run, "conforms"));
    expect_jobs(s, value_get(run, "jobs"), arena_printf(s->arena, "after run %zu", number + 1));
    expect_requests(s, value_get(run, "requests"));
    expect_bodies(s, value_get(run, "sends"));
    expect_files(s, value_get(run, "file-has"), true);
    expect_files(s, value_get(run, "file-lacks"), false);
    if (value_bool_at(run, "adopt", false))
        s->documents = yaml_read(s->arena, in_dir(s, "out"));
    if (s->faults > before) {
        show(s, "out");
        show(s, "err");
    }
}

#endif
