/* The command line: what each form of it means, and what is said about each wrong one. Knows options.h only. */
#include "../../cmd/commands.h"
#include "harness.h"

enum { WORDS_MAX = 20 };

static size_t words_of(char *line, char **words)
{
    size_t n = 0;

    words[n++] = (char *)"reinstate";
    for (char *word; (word = strsep(&line, " ")) && n < WORDS_MAX;)
        if (*word)
            words[n++] = word;
    return n;
}

static int parse(struct arena *a, const char *line, struct options *o, struct err *err)
{
    char **words = arena_array(a, char *, WORDS_MAX + 1);

    return options_parse(a, (int)words_of(arena_strdup(a, line), words), words, o, err);
}

static const struct {
    const char *reason, *line, *says;
} refused_rows[] = {
    {"no command", "", "no command given"},
    {"a misspelt command gets a suggestion", "aply -f x", "did you mean apply?"},
    {"a command nothing like any", "zzzzzzzz", "there is no command \"zzzzzzzz\""},
    {"a misspelt option gets a suggestion", "plan --wrld x", "did you mean --world?"},
    {"an option of another command is not offered", "plan -f x --port 3", "plan has no option --port"},
    {"a suggestion comes from the command's own options", "sim --prt 3 --world w", "did you mean --port?"},
    {"a value is missing at the end", "plan -f", "--file needs a value"},
    {"an option in a value's place", "forecast --discover --world w.yaml", "--discover needs a value"},
    {"a short option in a value's place", "forecast --discover -f m.yaml", "--discover needs a value"},
    {"a flag takes no value", "plan -f x --recursive=yes", "--recursive takes no value"},
    {"manifests are needed", "plan", "which manifests?"},
    {"a word too many", "explain a b", "\"b\" is one word too many"},
    {"manifests without -f", "plan estate.yaml", "manifests are given with -f"},
    {"a duration without a unit", "watch -f x --interval 10", "did you mean 10h?"},
    {"a duration in another way", "watch -f x --interval P3D", "did you mean 3d?"},
    {"a long name with one dash", "plan -f x -out=y",
     "-out=y: the name of an option has two dashes in front: --out=y"},
    {"a flag with one dash", "apply -f x -auto-approve", "two dashes in front: --auto-approve"},
    {"a letter's value after =", "plan -f x -o=json", "-o takes its value without =: -o json, or --output=json"},
    {"one value meant, two given", "plan -f x --out a --out b", "--out stands more than once"},
    {"the same in both ways", "plan -f x -o json --output text", "--output stands more than once"},
    {"an interval that would be a busy loop", "watch -f x --interval 0s", "at least 1s"},
    {"a number with rubbish behind it", "sim --world w --port 80x", "no number from 0 to 65535"},
    {"a port that is none", "sim --world w --port 65536", "no number from 0 to 65535"},
    {"a negative number", "watch -f x --passes -1", "no number"},
    {"a factor that is no number", "plan -f x --world w --pace nan", "no number"},
    {"a clock that goes back", "sim --world w --speed -1", "no number from 0"},
    {"an approval without a name", "apply -f x --approve rule=", "RULE=NAME"},
    {"an approval without a rule", "apply -f x --approve =me", "RULE=NAME"},
    {"a format that is none", "plan -f x -o yaml", "-o yaml: plan answers in one of text|json"},
    {"findings of a command that has none", "plan -f x -o sarif", "plan answers in text or json"},
    {"two clouds at once", "plan -f x --world w --cloud c", "contradict"},
    {"a simulated world's option without one", "plan -f x --world-out w", "--world-out goes with --world"},
    {"a simulated principal without a world", "plan -f x --as me", "--as goes with --world"},
    {"sim without a world", "sim", "which world?"},
    {"activate without a VM", "activate -f x", "which RestoredVirtualMachine?"},
    {"two ways to choose a point", "activate vm -f x --point 1 --newest", "contradict"},
    {"a list and a choice", "activate vm -f x --list --newest", "--list and --newest contradict"},
    {"export of no vault", "export", "which vault?"},
    {"one VM by its name, of no vault", "export --item vm", "which vault?"},
    {"impact of nothing", "impact -f x", "what would be taken away?"},
    {"impact of two things", "impact -f x --disable a --delete b", "--disable and --delete contradict"},
    {"two drawings", "graph -f x --steps --lineage", "--steps and --lineage contradict"},
    {"impact without manifests", "impact --delete a", "which manifests?"},
    {"an empty path", "plan --file=", "is empty"},
    {"an unknown letter", "plan -z", "there is no option -z"},
    {"auto-approve is for commands that write", "plan -f x --auto-approve", "plan has no option --auto-approve"},
};

static void test_refused(void)
{
    for (size_t i = 0; i < COUNT(refused_rows); i++) {
        struct arena *a = arena_new();
        struct options o;
        struct err err = {0};

        CHECK_ROW(refused_rows[i].reason, parse(a, refused_rows[i].line, &o, &err) == -ERR_INVALID);
        CHECK_ROW(refused_rows[i].reason, strstr(err.text, refused_rows[i].says) != NULL);
        arena_free(a);
    }
}

/* No manifests needed where a vault tells what there is. */
static void test_without_manifests(void)
{
    static const char *const lines[] = {
        "export --vault /subscriptions/s",
        "export --vault-name rsv --item vm",
        "export --item /s/backupFabrics/Azure/protectedItems/vm",
        "impact --discover rsv --delete a",
        "graph --discover rsv --lineage",
        "forecast --discover rsv",
    };

    for (size_t i = 0; i < COUNT(lines); i++) {
        struct arena *a = arena_new();
        struct options o;
        struct err err;

        CHECK_ROW(lines[i], parse(a, lines[i], &o, &err) == 0 && o.paths.count == 0);
        arena_free(a);
    }
}

static void test_understood(void)
{
    struct arena *a = arena_new();
    struct options o;
    struct err err;

    CHECK(parse(a, "apply -f a -fb --file=c -R -o json --auto-approve --approve built-in/x=A=B --journal none", &o,
                &err) == 0);
    CHECK_STR(o.command->name, "apply");
    CHECK(o.paths.count == 3 && o.recursive && o.auto_approve && o.output == OUTPUT_JSON);
    CHECK_STR(o.paths.items[1], "b");
    CHECK_STR(o.paths.items[2], "c");
    CHECK_STR(o.journal, "none");
    CHECK(o.approvals.count == 1);
    CHECK_STR(o.approvals.items[0].rule, "built-in/x");
    CHECK_STR(o.approvals.items[0].name, "A=B");
    CHECK(o.settle_ms == -1);

    CHECK(parse(a, "-f - watch --interval 90s --passes 3 --settle 0s", &o, &err) == 0);
    CHECK_STR(o.paths.items[0], "-");
    CHECK(o.interval_ms == 90 * SECOND_MS && o.passes == 3 && o.settle_ms == 0);

    CHECK(parse(a, "plan -Rfdir --world w --pace 0.5", &o, &err) == 0);
    CHECK(o.recursive && o.pace > 0.49 && o.pace < 0.51);
    CHECK_STR(o.paths.items[0], "dir");

    CHECK(parse(a, "explain -- -odd", &o, &err) == 0);
    CHECK_STR(o.operands.items[0], "-odd");

    CHECK(parse(a, "help apply", &o, &err) == 0);
    CHECK(o.help && str_eq(o.command->name, "apply"));
    CHECK(parse(a, "--help", &o, &err) == 0);
    CHECK(o.help && !o.command);
    CHECK(parse(a, "--version", &o, &err) == 0);
    CHECK_STR(o.command->name, "version");
    arena_free(a);
}

/* An error in front of -o json is still told as JSON. */
static void test_output_first(void)
{
    struct arena *a = arena_new();
    struct options o;
    struct err err;

    CHECK(parse(a, "plan --wrong -o json", &o, &err) < 0);
    CHECK(o.output == OUTPUT_JSON);
    CHECK(parse(a, "plan --output=json --wrong", &o, &err) < 0);
    CHECK(o.output == OUTPUT_JSON);
    CHECK(parse(a, "plan --wrong", &o, &err) < 0);
    CHECK(o.output == OUTPUT_TEXT);
    arena_free(a);
}

static void test_usage(void)
{
    struct arena *a = arena_new();
    struct text t = {0};
    struct options o;
    struct err err;

    text_init(&t, TEXT_CEILING);
    CHECK(parse(a, "sim --help", &o, &err) == 0);
    options_usage(&t, o.command);
    CHECK(strstr(text_str(&t), "--write-cloud FILE") != NULL);
    CHECK(strstr(text_str(&t), "--auto-approve") == NULL);
    text_release(&t);
    arena_free(a);
}

/* One word of what stands in quotes, up to what is the shell's own. */
static void shell_words(char *line)
{
    bool quoted = false;

    line[strcspn(line, "|>")] = '\0';
    for (; *line; line++) {
        quoted = quoted != (*line == '\'');
        if (*line == '\'')
            *line = ' ';
        else if (quoted && *line == ' ')
            *line = '_';
    }
}

/* What the help shows as an example is taken. */
static void check_examples(void)
{
    const struct command *c;

    for (size_t at = 0; (c = command_next(&at));) {
        CHECK_ROW(c->name, option_example(c, 0) != NULL);
        for (size_t i = 0; option_example(c, i); i++) {
            struct arena *a = arena_new();
            char *words = arena_strdup(a, option_example(c, i) + strlen("reinstate "));
            struct options o;
            struct err err = {0};

            shell_words(words);
            CHECK_ROW(option_example(c, i), str_starts(option_example(c, i), "reinstate "));
            CHECK_ROW(option_example(c, i), parse(a, words, &o, &err) == 0 && o.command == c);
            arena_free(a);
        }
    }
}

int main(void)
{
    test_refused();
    test_without_manifests();
    test_understood();
    test_output_first();
    test_usage();
    check_examples();
    HARNESS_END();
}
