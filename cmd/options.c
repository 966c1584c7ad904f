/* Knows how a command line is read by the tables of commands and options. Must not know what an option does. */
#include "option_rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* --- words of the command line ------------------------------------------------------------------------------------ */

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (str_eq(option_commands[i].name, name))
            return &option_commands[i];
    return NULL;
}

enum command_at command_at(const struct command *command)
{
    return (enum command_at)(command - option_commands);
}

static unsigned command_bit(const struct command *command)
{
    return command ? 1u << (command - option_commands) : ALL;
}

static const struct option_row *row_find(const char *name, size_t len)
{
    for (size_t i = 0; i < option_n_rows; i++)
        if (strlen(option_rows[i].name) == len && !strncmp(option_rows[i].name, name, len))
            return &option_rows[i];
    return NULL;
}

static const struct option_row *row_of_letter(char letter)
{
    for (size_t i = 0; i < option_n_rows; i++)
        if (option_rows[i].letter && option_rows[i].letter == letter)
            return &option_rows[i];
    return NULL;
}

static int unknown_option(struct arena *a, const char *word, const struct command *command, struct err *err)
{
    const char *names[OPTION_ROWS_MAX + 1], *near;
    size_t n = 0, len = strcspn(word, "=");

    for (size_t i = 0; i < option_n_rows; i++)
        if (option_rows[i].commands & command_bit(command))
            names[n++] = arena_printf(a, "--%s", option_rows[i].name);
    names[n] = NULL;
    near = did_you_mean(arena_strndup(a, word, len), names);
    err_set(err, ERR_INVALID, "there is no option %.*s", (int)len, word);
    if (near)
        return err_advise(err, "did you mean %s?", near);
    return err_advise(err, "reinstate %s%s--help lists them", command ? command->name : "", command ? " " : "");
}

static int unknown_command(const char *word, struct err *err)
{
    const char *names[COMMAND_COUNT + 2], *near;

    for (size_t i = 0; i < COMMAND_COUNT; i++)
        names[i] = option_commands[i].name;
    names[COMMAND_COUNT] = "help";
    names[COMMAND_COUNT + 1] = NULL;
    near = did_you_mean(word, names);
    err_set(err, ERR_INVALID, "there is no command \"%s\"", word);
    return near ? err_advise(err, "did you mean %s?", near) : err_advise(err, "reinstate --help lists them");
}

struct scan {
    struct arena *arena;
    char *const *argv;
    int argc, at;
    struct options *o;
    const struct option_row *given[OPTION_ROWS_MAX];     /* checked against the command once it is known */
    size_t n_given;
};

static void there_told(const struct command *command, struct option_told *ret)
{
    for (const struct option_there *t = option_there; command && t->name; t++)
        if (str_eq(t->name, ret->name) && t->commands & command_bit(command)) {
            ret->value = t->value ? t->value : ret->value;
            ret->help = t->help ? t->help : ret->help;
            return;
        }
}

/* Of an answer's forms those that this command has. */
static int value_given(struct scan *s, const struct option_row *row, const char *value, struct err *err)
{
    struct option_told told = {.name = row->name, .value = row->value};

    if (option_value_store(s->arena, row, value, s->o, err) == 0)
        return 0;
    if (row->type != TYPE_OUTPUT || !s->o->command)
        return -(int)err->class;
    there_told(s->o->command, &told);
    return err_set(err, ERR_INVALID, "-o %s: %s answers in one of %s", value, s->o->command->name, told.value);
}

static int option_given(struct scan *s, const struct option_row *row, const char *value, struct err *err)
{
    if (row->type != TYPE_FLAG && !value) {
        /* An option in its place is no value: --discover --world w.yaml. "-" alone is standard input. */
        if (s->at + 1 >= s->argc || str_starts(s->argv[s->at + 1], "--") ||
            (s->argv[s->at + 1][0] == '-' && isalpha((unsigned char)s->argv[s->at + 1][1]) && !s->argv[s->at + 1][2]))
            return err_set(err, ERR_INVALID, "--%s needs a value: --%s %s", row->name, row->name, row->value);
        value = s->argv[++s->at];
    } else if (row->type == TYPE_FLAG && value) {
        return err_set(err, ERR_INVALID, "--%s takes no value", row->name);
    }
    for (size_t i = 0; i <= s->n_given; i++) {
        if (i == s->n_given) {
            s->given[s->n_given++] = row;
            break;
        }
        if (s->given[i] != row)
            continue;
        /* Of two values one would be lost, and nobody would know which. */
        if (row->type != TYPE_FLAG && row->type != TYPE_TEXTS && row->type != TYPE_APPROVAL)
            return err_set(err, ERR_INVALID, "--%s stands more than once, and one %s is meant", row->name, row->value);
        break;
    }
    return value_given(s, row, value, err);
}

/* "-Rf PATH", "-fPATH": letters in a row; what follows a letter with a value is its value. */
static int letters_given(struct scan *s, const char *letters, struct err *err)
{
    if (letters[1] && row_find(letters, strcspn(letters, "=")))
        return err_set(err, ERR_INVALID, "-%s: the name of an option has two dashes in front: --%s", letters, letters);
    for (const char *p = letters; *p; p++) {
        const struct option_row *row = row_of_letter(*p);
        char word[3] = {'-', *p, 0};

        if (!row)
            return unknown_option(s->arena, p == letters && p[1] ? arena_printf(s->arena, "--%s", letters) : word,
                                  s->o->command, err);
        if (row->type != TYPE_FLAG && p[1] == '=')
            return err_set(err, ERR_INVALID, "-%c takes its value without =: -%c %s, or --%s=%s", *p, *p, p + 2,
                           row->name, p + 2);
        if (row->type != TYPE_FLAG)
            return option_given(s, row, p[1] ? p + 1 : NULL, err);
        TRY(option_given(s, row, NULL, err));
    }
    return 0;
}

static int word_given(struct scan *s, const char *word, struct err *err)
{
    if (!s->o->command && str_eq(word, "help") && !s->o->help) {
        s->o->help = true;
        return 0;
    }
    if (!s->o->command) {
        s->o->command = command_find(word);
        return s->o->command ? 0 : unknown_command(word, err);
    }
    arena_push(s->arena, s->o->operands.items, s->o->operands.count, word);
    return 0;
}

static int scan_words(struct scan *s, struct err *err)
{
    bool only_words = false;

    for (; s->at < s->argc; s->at++) {
        const char *word = s->argv[s->at], *name = word + 2;
        size_t len;
        const struct option_row *row;

        if (only_words || word[0] != '-' || !word[1]) {
            TRY(word_given(s, word, err));
        } else if (word[1] != '-') {
            TRY(letters_given(s, word + 1, err));
        } else if (!word[2]) {
            only_words = true;
        } else {
            len = strcspn(name, "=");
            row = row_find(name, len);
            if (!row && str_eq(word, "--version") && !s->o->command) {
                s->o->command = command_find("version");
                continue;
            }
            if (!row)
                return unknown_option(s->arena, word, s->o->command, err);
            TRY(option_given(s, row, name[len] ? name + len + 1 : NULL, err));
        }
    }
    return 0;
}

/* --- what belongs together ---------------------------------------------------------------------------------------- */

static int output_agrees(const struct options *o, unsigned bit, struct err *err)
{
    if (bit & DOCTOR ? o->output > OUTPUT_JSON && o->output != OUTPUT_MARKDOWN
                     : o->output == OUTPUT_MARKDOWN || (o->output > OUTPUT_JSON && !(bit & FINDING)))
        return err_set(err, ERR_INVALID, "-o %s is for %s: %s answers in text or json%s", option_outputs[o->output],
                       o->output == OUTPUT_MARKDOWN ? "doctor" : "lists of findings", o->command->name,
                       bit & DOCTOR ? " or markdown" : "");
    if (o->role && o->assign)
        return err_set(err, ERR_INVALID, "--role and --assign contradict each other");
    return 0;
}

static int init_agrees(const struct options *o, unsigned bit, struct err *err)
{
    if ((bit & INIT) && o->item && !o->vault && !o->vault_name && !str_find_nocase(o->item, "/backupFabrics/"))
        return err_set(err, ERR_INVALID, "which vault? --item with a name goes with --vault ID or --vault-name NAME");
    if (o->pipeline && !str_eq(o->pipeline, "github") && !str_eq(o->pipeline, "azure") && !str_eq(o->pipeline, "none"))
        return err_set(err, ERR_INVALID, "--pipeline: \"%s\" is neither github nor azure nor none", o->pipeline);
    return 0;
}

static int options_agree(const struct options *o, struct err *err)
{
    unsigned bit = command_bit(o->command);
    size_t operands_max = strstr(o->command->operands, "VM...") ? SIZE_MAX : !o->command->operands[0] ? 0
                          : strchr(o->command->operands, ' ') ? 2 : 1;

    TRY(output_agrees(o, bit, err));
    if (o->operands.count > operands_max)
        return err_set(err, ERR_INVALID, "\"%s\" is one word too many; manifests are given with -f",
                       o->operands.items[operands_max]);
    if (o->vault && o->vault_name)
        return err_set(err, ERR_INVALID, "--vault and --vault-name contradict each other");
    if ((bit & EXPORT) && !o->vault && !o->vault_name && !str_find_nocase(o->item ? o->item : "", "/backupFabrics/"))
        return err_set(
            err, ERR_INVALID,
            "which vault? Give --vault ID, --vault-name NAME, or --item with the ARM id of a protected item");
    TRY(init_agrees(o, bit, err));
    if ((bit & MANIFESTS_NEEDED) && !o->discover && !o->paths.count)
        return err_set(err, ERR_INVALID,
                       "which manifests? Give -f PATH (a file, a folder, or - for standard input), or set "
                       "REINSTATE_FILE");
    if (o->quiet && (o->verbose || o->debug))
        return err_set(err, ERR_INVALID, "--quiet and --%s contradict each other", o->debug ? "debug" : "verbose");
    if ((bit & ACTIVATE) && !o->operands.count && !o->selector && !o->targets.count && !o->list)
        return err_set(
            err, ERR_INVALID,
            "which RestoredVirtualMachine? Give its name, several names, or labels with -l; --list lists them all");
    if (o->list && o->out)
        return err_set(err, ERR_INVALID, "--list and --out contradict each other: a list is no order");
    if (o->list && (o->point || o->newest))
        return err_set(err, ERR_INVALID, "--list and --%s contradict each other", o->point ? "point" : "newest");
    if (o->point && o->newest)
        return err_set(err, ERR_INVALID, "--point and --newest contradict each other");
    if ((bit & IMPACT) && !o->disable == !o->delete)
        return err_set(err, ERR_INVALID,
                       o->disable ? "--disable and --delete contradict each other"
                                  : "what would be taken away? Give --disable KEY[/VERSION] or --delete DES|KEY|VAULT");
    if (o->steps && o->lineage)
        return err_set(err, ERR_INVALID, "--steps and --lineage contradict each other");
    if ((bit & SIM) && !o->world)
        return err_set(err, ERR_INVALID, "which world? Give --world FILE");
    if (o->world && o->cloud)
        return err_set(err, ERR_INVALID,
                       "--world and --cloud contradict each other: give the simulated Azure or the one to call");
    if (o->world && o->credential)
        return err_set(err, ERR_INVALID,
                       "--world and --credential contradict each other: in a simulated world --as says who we are");
    if (!o->world && (o->world_out || o->as || o->pace > 0))
        return err_set(err, ERR_INVALID, "--%s goes with --world", o->world_out ? "world-out" : o->as ? "as" : "pace");
    if ((bit & WATCH) && o->interval_ms < SECOND_MS)
        return err_set(err, ERR_INVALID, "--interval must be at least 1s");
    return 0;
}

/* The output format first, wherever it stands: also a fault in front of it is told in it. */
static enum output_format output_wanted(int argc, char *const *argv)
{
    for (int i = 1; i < argc; i++) {
        const char *word = argv[i];

        if ((str_eq(word, "-o") || str_eq(word, "--output")) && i + 1 < argc)
            word = argv[i + 1];
        else if (str_starts(word, "--output="))
            word += strlen("--output=");
        else if (str_starts(word, "-o"))
            word += strlen("-o");
        else
            continue;
        for (size_t k = 0; option_outputs[k]; k++)
            if (str_eq(word, option_outputs[k]))
                return (enum output_format)k;
    }
    return OUTPUT_TEXT;
}

/* Without -f the manifests of the environment, as kubectl takes its files: paths with colons between them. */
static void paths_from_environment(struct arena *a, struct options *o)
{
    const char *paths = getenv("REINSTATE_FILE");
    bool wanted = command_bit(o->command) & MANIFESTS_NEEDED && !o->discover && !o->paths.count;

    for (size_t n; wanted && paths && *paths; paths += n + (paths[n] == ':')) {
        n = strcspn(paths, ":");
        if (n)
            arena_push(a, o->paths.items, o->paths.count, arena_strndup(a, paths, n));
    }
}

int options_parse(struct arena *a, int argc, char *const *argv, struct options *ret, struct err *err)
{
    struct scan s = {.arena = a, .argv = argv, .argc = argc, .at = 1, .o = ret};

    *ret = (struct options){
        .output = output_wanted(argc, argv),
        .settle_ms = -1,
        .export_lookback_ms = -1,
        .interval_ms = 10 * MINUTE_MS,
        .speed = 1,
        .format = "dot",
        .within_ms = 30 * DAY_MS,
        .disks_per_set = 40,
    };
    TRY(scan_words(&s, err));
    if (ret->help)
        return 0;
    if (!ret->command)
        return err_set(err, ERR_INVALID, "no command given. reinstate --help lists them");
    for (size_t i = 0; i < s.n_given; i++)
        if (!(s.given[i]->commands & command_bit(ret->command)))
            return err_set(err, ERR_INVALID, "%s has no option --%s. reinstate %s --help lists them",
                           ret->command->name, s.given[i]->name, ret->command->name);
    paths_from_environment(a, ret);
    return options_agree(ret, err);
}

bool options_take(const char *command, const char *option)
{
    const struct option_row *row = row_find(option, strlen(option));
    const struct command *found = command_find(command);

    return row && found && row->commands & command_bit(found);
}

const struct command *command_next(size_t *at)
{
    return *at < COMMAND_COUNT ? &option_commands[(*at)++] : NULL;
}

bool option_next(const struct command *command, size_t *at, struct option_told *ret)
{
    while (*at < option_n_rows) {
        const struct option_row *row = &option_rows[(*at)++];

        if (!(row->commands & command_bit(command)))
            continue;
        *ret = (struct option_told){.name = row->name, .letter = row->letter, .value = row->value, .help = row->help};
        there_told(command, ret);
        return true;
    }
    return false;
}

const char *const option_exit_codes[] = {
    "0", "as declared",
    "1", "error",
    "2", "differences",
    "3", "blocked by policy, a missing order or a person",
    "4", "partly applied",
    NULL,
};
