/* completion and man: what shells and man(1) need to know of the command line, written from its two tables. Knows the
 * forms of bash, zsh, fish and roff, and no option. */
#include <string.h>

#include "commands.h"
#include "output.h"

static bool has_letter(const struct option_told *o)
{
    return o->letter != 0;
}

/* "dot|mermaid": one of these words. NULL: the value is free. */
static const char *words_of(struct arena *a, const struct option_told *o)
{
    char *words;

    if (!o->value || !strchr(o->value, '|'))
        return NULL;
    words = arena_strdup(a, o->value);
    for (char *p = words; *p; p++) {
        if (*p == '|')
            *p = ' ';
        else if (*p < 'a' || *p > 'z')
            return NULL;
    }
    return words;
}

static bool takes_file(const struct option_told *o)
{
    return o->value && (strstr(o->value, "PATH") || strstr(o->value, "FILE") || strstr(o->value, "FOLDER"));
}

/* The text with a mark before each of these characters. */
static const char *marked(struct arena *a, const char *text, const char *which, const char *mark)
{
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    for (const char *p = text; *p; p++) {
        if (strchr(which, *p))
            text_add(&t, mark);
        text_add_char(&t, *p);
    }
    return arena_strdup(a, text_str(&t));
}

/* Inside '...': a quotation mark ends the word, stands by itself, and begins it anew. */
static const char *quoted(struct arena *a, const char *text)
{
    return marked(a, text, "'", "'\\'");
}

/* --- bash --------------------------------------------------------------------------------------------------------- */

/* One arm of the case over the word before: the options whose value is of this sort. */
static void bash_values(struct arena *a, struct text *t, bool files)
{
    const char *names = NULL;
    struct option_told o;

    for (size_t at = 0; option_next(NULL, &at, &o);) {
        if (!o.value || words_of(a, &o) || takes_file(&o) != files)
            continue;
        names = arena_printf(a, "%s%s--%s", names ? names : "", names ? " | " : "", o.name);
        if (has_letter(&o))
            names = arena_printf(a, "%s | -%c", names, o.letter);
    }
    if (names)
        text_printf(t, "    %s)\n%s        return ;;\n", names,
                    files ? "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n" : "");
}

static void bash_write(struct arena *a, struct text *t)
{
    const struct command *c;
    const char *all = NULL;
    struct option_told o;

    for (size_t at = 0; (c = command_next(&at));)
        all = arena_printf(a, "%s%s%s", all ? all : "", all ? " " : "", c->name);
    text_printf(t,
                "# bash completion of reinstate: reinstate completion bash > "
                "~/.local/share/bash-completion/completions/reinstate\n"
                "_reinstate() {\n"
                "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
                "    local command='' words word\n"
                "    COMPREPLY=()\n"
                "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
                "        case \" %s \" in *\" $word \"*) command=$word; break ;; esac\n"
                "    done\n"
                "    case $previous in\n",
                all);
    for (size_t at = 0; option_next(NULL, &at, &o);)
        if (words_of(a, &o))
            text_printf(t,
                        "    --%s%s)\n        mapfile -t COMPREPLY < <(compgen -W \"%s\" -- \"$current\")\n"
                        "        return ;;\n",
                        o.name, has_letter(&o) ? arena_printf(a, " | -%c", o.letter) : "", words_of(a, &o));
    bash_values(a, t, true);
    bash_values(a, t, false);
    text_add(t, "    esac\n    case $command in\n");
    for (size_t at = 0; (c = command_next(&at));) {
        text_printf(t, "    %s) words=\"", c->name);
        for (size_t i = 0, n = 0; option_next(c, &i, &o); n++)
            text_printf(t, "%s--%s", n ? " " : "", o.name);
        text_add(t, "\" ;;\n");
    }
    text_printf(t,
                "    *) words=\"%s --help\" ;;\n"
                "    esac\n"
                "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
                "}\n"
                "complete -o filenames -F _reinstate reinstate\n",
                all);
}

/* --- zsh ---------------------------------------------------------------------------------------------------------- */

static const char *zsh_text(struct arena *a, const char *text)
{
    return quoted(a, marked(a, text, "[]:\\", "\\"));
}

static void zsh_option(struct arena *a, struct text *t, const struct option_told *o)
{
    const char *words = words_of(a, o), *value = "";

    if (o->value)
        value = arena_printf(a, ":%s:%s", zsh_text(a, o->value),
                             words           ? arena_printf(a, "(%s)", words)
                             : takes_file(o) ? "_files"
                                             : "");
    if (has_letter(o))
        text_printf(t, " \\\n            '*'{-%c,--%s}'[%s]%s'", o->letter, o->name, zsh_text(a, o->help), value);
    else
        text_printf(t, " \\\n            '*--%s[%s]%s'", o->name, zsh_text(a, o->help), value);
}

static void zsh_write(struct arena *a, struct text *t)
{
    const struct command *c;
    struct option_told o;

    text_add(t, "#compdef reinstate\n"
                "# zsh completion of reinstate: reinstate completion zsh > _reinstate, in a folder of $fpath\n"
                "_reinstate() {\n"
                "    local -a commands\n"
                "    commands=(\n");
    for (size_t at = 0; (c = command_next(&at));)
        text_printf(t, "        '%s:%s'\n", c->name, zsh_text(a, c->summary));
    text_add(t, "    )\n"
                "    if ((CURRENT == 2)); then\n"
                "        _describe command commands\n"
                "        return\n"
                "    fi\n"
                "    case $words[2] in\n");
    for (size_t at = 0; (c = command_next(&at));) {
        text_printf(t, "    %s)\n        _arguments", c->name);
        for (size_t i = 0; option_next(c, &i, &o);)
            zsh_option(a, t, &o);
        text_add(t, "\n        ;;\n");
    }
    text_add(t, "    esac\n"
                "}\n"
                "if [ \"$funcstack[1]\" = _reinstate ]; then\n"
                "    _reinstate \"$@\"\n"
                "else\n"
                "    compdef _reinstate reinstate\n"
                "fi\n");
}

/* --- fish --------------------------------------------------------------------------------------------------------- */

static void fish_option(struct arena *a, struct text *t, const struct option_told *o)
{
    const char *words = words_of(a, o), *of = NULL;
    const struct command *c;
    struct option_told own;

    for (size_t at = 0; (c = command_next(&at));)
        for (size_t i = 0; option_next(c, &i, &own);)
            if (str_eq(own.name, o->name))
                of = arena_printf(a, "%s%s%s", of ? of : "", of ? " " : "", c->name);
    text_printf(t, "complete -c reinstate -n '__fish_seen_subcommand_from %s' -l %s", of, o->name);
    if (has_letter(o))
        text_printf(t, " -s %c", o->letter);
    if (words)
        text_printf(t, " -x -a '%s'", words);
    else if (o->value)
        text_add(t, takes_file(o) ? " -r -F" : " -x");
    text_printf(t, " -d '%s'\n", marked(a, o->help, "'\\", "\\"));
}

static void fish_write(struct arena *a, struct text *t)
{
    const struct command *c;
    struct option_told o;

    text_add(t, "# fish completion of reinstate: reinstate completion fish > "
                "~/.config/fish/completions/reinstate.fish\n"
                "complete -c reinstate -f\n");
    for (size_t at = 0; (c = command_next(&at));)
        text_printf(t, "complete -c reinstate -n __fish_use_subcommand -a %s -d '%s'\n", c->name,
                    marked(a, c->summary, "'\\", "\\"));
    for (size_t at = 0; option_next(NULL, &at, &o);)
        fish_option(a, t, &o);
}

static const struct {
    const char *name;
    void (*write)(struct arena *a, struct text *t);
} shells[] = {{"bash", bash_write}, {"zsh", zsh_write}, {"fish", fish_write}};

int command_completion(const struct options *o)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {0};
    struct err err;

    text_init(&t, TEXT_CEILING);
    for (size_t i = 0; i < COUNT(shells); i++)
        if (o->operands.count == 1 && str_eq(o->operands.items[0], shells[i].name)) {
            shells[i].write(a, &t);
            output_text(&t);
            return EXIT_DECLARED;
        }
    err_set(&err, ERR_INVALID, "completion takes the name of a shell: bash, zsh or fish");
    err_advise(&err, "reinstate completion bash");
    return output_failure(o, NULL, &err);
}

/* --- man ---------------------------------------------------------------------------------------------------------- */

static const char *roff(struct arena *a, const char *text)
{
    const char *safe = marked(a, text, "-\\", "\\");

    return *safe == '.' || *safe == '\'' ? arena_printf(a, "\\&%s", safe) : safe;
}

static void roff_option(struct arena *a, struct text *t, const struct option_told *o)
{
    text_add(t, ".TP\n");
    if (has_letter(o))
        text_printf(t, "\\fB\\-%c\\fR, ", o->letter);
    text_printf(t, "\\fB\\-\\-%s\\fR", roff(a, o->name));
    if (o->value)
        text_printf(t, " \\fI%s\\fR", roff(a, o->value));
    text_printf(t, "\n%s\n", roff(a, o->help));
}

static void roff_commands(struct arena *a, struct text *t)
{
    const struct command *c;
    struct option_told o;

    text_add(t, ".SH COMMANDS\n");
    for (size_t at = 0; (c = command_next(&at));) {
        text_printf(t, ".SS \"reinstate %s%s%s\"\n", c->name, *c->operands ? " " : "", roff(a, c->operands));
        text_printf(t, "%s.\nOptions:", roff(a, c->summary));
        for (size_t i = 0, n = 0; option_next(c, &i, &o); n++)
            text_printf(t, "%s \\fB\\-\\-%s\\fR", n ? "," : "", roff(a, o.name));
        text_add(t, ".\n");
        for (size_t i = 0; option_example(c, i); i++)
            text_printf(t, ".PP\n.EX\n%s\n.EE\n", roff(a, option_example(c, i)));
    }
}

int command_man(const struct options *o)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {0};
    struct option_told told;

    (void)o;
    text_init(&t, TEXT_CEILING);
    text_printf(&t,
                ".TH REINSTATE 1 \"\" \"reinstate %s\" \"User Commands\"\n"
                ".SH NAME\nreinstate \\- declarative disaster recovery for Azure confidential VMs\n"
                ".SH SYNOPSIS\n\\fBreinstate\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]\n"
                ".SH DESCRIPTION\n"
                "Documents in YAML state which keys, disk encryption sets, grants and machines must exist.\n"
                "The commands compare them with Azure, judge the difference by policy, and do what is missing.\n"
                "Nothing is ever deleted, and nothing is restored without an order (an Activation document).\n",
                REINSTATE_VERSION);
    roff_commands(a, &t);
    text_add(&t, ".SH OPTIONS\n");
    for (size_t at = 0; option_next(NULL, &at, &told);)
        roff_option(a, &t, &told);
    text_add(&t, ".SH EXIT STATUS\n");
    for (const char *const *line = option_exit_codes; *line; line += 2)
        text_printf(&t, ".TP\n\\fB%s\\fR\n%s\n", line[0], roff(a, line[1]));
    text_add(&t, ".SH SEE ALSO\n"
                 "\\fBreinstate explain\\fR tells what a kind, a field or a name in a plan means.\n");
    output_text(&t);
    return EXIT_DECLARED;
}
