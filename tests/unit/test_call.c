/* Commands as they are printed: each names this call's own manifests and what it takes of this call's
 * options, for a shell. */
#include "../../cmd/call.h"
#include "../../reconciler/format/json.h"
#include "harness.h"

#define CALL_MAX 24

static struct options parsed(struct arena *a, const char *line)
{
    char **words = arena_array(a, char *, CALL_MAX + 1), *rest = arena_strdup(a, line);
    struct options o;
    struct err err;
    int n = 0;

    words[n++] = (char *)"reinstate";
    for (char *word; (word = strsep(&rest, " ")) && n < CALL_MAX;)
        words[n++] = word;
    CHECK_ROW(line, options_parse(a, n, words, &o, &err) == 0);
    return o;
}

static const struct row {
    const char *call, *text, *filled;
} rows[] = {
    {"plan -f e.yaml", "nothing to paste", "nothing to paste"},
    {"plan -f e.yaml", "order it: reinstate activate -f ... vm, then go on",
     "order it: reinstate activate -f e.yaml vm, then go on"},
    {"plan -f e.yaml -f p.yaml -R", "reinstate plan -f ...", "reinstate plan -R -f e.yaml -f p.yaml"},
    {"plan -f it's -l app=a;b", "reinstate plan -f ...", "reinstate plan -f 'it'\\''s' -l 'app=a;b'"},
    {"apply -f e --journal j.x --settle 20s --history h", "reinstate plan -f ... --out p",
     "reinstate plan -f e --history h --settle 20s --out p"},
    {"apply -f e --journal j.x --settle 20s --history h", "reinstate apply -f ...",
     "reinstate apply -f e --history h --journal j.x --settle 20s"},
    {"plan -f e --export-lookback 2d --policy p", "first reinstate plan -f ..., then reinstate apply -f ... --plan x",
     "first reinstate plan -f e --policy p --export-lookback 172800s, then reinstate apply -f e --policy p "
     "--export-lookback 172800s "
     "--plan x"},
    {"plan -f e --world w --world-out o --as me --pace 60", "reinstate apply -f ...",
     "reinstate apply -f e --world w --world-out o --as me --pace 60"},
    {"plan -f e --cloud AzureChina", "reinstate plan -f ... --cloud AzurePublic; else not",
     "reinstate plan -f e --cloud AzurePublic; else not"},
    {"plan -f e --cloud AzureChina", "reinstate validate -f ...", "reinstate validate -f e"},
    /* A run needs all of its approvals at once; one that is asked for is not given by repeating it. */
    {"apply -f e --approve a=Me", "reinstate apply -f ... --approve b=YOUR-NAME",
     "reinstate apply -f e --approve a=Me --approve b=YOUR-NAME"},
    {"apply -f e --approve a=Me", "reinstate apply -f ... --approve a=YOUR-NAME",
     "reinstate apply -f e --approve a=YOUR-NAME"},
    {"apply -f e --approve a=Me", "reinstate apply -f ... --take-over c=YOUR-NAME",
     "reinstate apply -f e --take-over c=YOUR-NAME"},
    {"forecast --discover rsv", "reinstate graph -f ... --lineage", "reinstate graph --discover rsv --lineage"},
    {"forecast --discover rsv", "reinstate activate -f ... VM", "reinstate activate -f MANIFESTS VM"},
    /* What was piped in is gone with its pipe. */
    {"apply -f - -f e", "reinstate apply -f ...", "reinstate apply -f MANIFESTS -f e"},
    {"apply -f /dev/null -f e", "reinstate apply -f ...", "reinstate apply -f MANIFESTS -f e"},
    /* A file of that name is no place to be filled in again. */
    {"plan -f ...", "reinstate plan -f ...", "reinstate plan -f ..."},
};

static void in_trees(struct arena *a)
{
    struct options o = parsed(a, "plan -f \"q\".yaml");
    struct value *v = value_map(a), *list = value_list(a);

    call_set(&o);
    value_push(a, list, value_string(a, "reinstate plan -f ..."));
    value_push(a, list, value_int(a, 3));
    value_set(a, v, "next", list);
    CHECK_STR(json_string(a, call_filled_value(a, v), JSON_COMPACT),
              "{\"next\":[\"reinstate plan -f '\\\"q\\\".yaml'\",3]}");
    CHECK_STR(value_str_at(v, "next.0"), "reinstate plan -f ...");
}

/* A run that was stopped goes on in the world that it has kept, with each of its approvals once. */
static void resumed(struct arena *a)
{
    struct options o = parsed(a, "apply -f e --world w --world-out o --approve a=Ada_L --approve b=it's");

    call_set(&o);
    CHECK_STR(call_again(a), "reinstate apply -f e --world w --world-out o --approve a=Ada_L --approve 'b=it'\\''s'");
    call_world_moves();
    CHECK_STR(call_again(a), "reinstate apply -f e --world o --world-out o --approve a=Ada_L --approve 'b=it'\\''s'");
}

int main(void)
{
    struct arena *a = arena_new();

    CHECK_STR(call_filled(a, "reinstate plan -f ..."), "reinstate plan -f ...");
    for (size_t i = 0; i < COUNT(rows); i++) {
        struct options o = parsed(a, rows[i].call);

        call_set(&o);
        CHECK_STR(call_filled(a, rows[i].text), rows[i].filled);
    }
    in_trees(a);
    resumed(a);
    call_set(NULL);
    arena_free(a);
    HARNESS_END();
}
