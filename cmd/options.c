/* Knows every command and every option, as two tables, and how text becomes a typed value. Must not know what an
 * option does. */
#include "option_values.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum {
    EXPORT = 1 << 0,
    VALIDATE = 1 << 1,
    FORECAST = 1 << 2,
    PLAN = 1 << 3,
    ACTIVATE = 1 << 4,
    APPLY = 1 << 5,
    RUNBOOK = 1 << 6,
    DRIFT = 1 << 7,
    WATCH = 1 << 8,
    IMPACT = 1 << 9,
    GRAPH = 1 << 10,
    EXPLAIN = 1 << 11,
    SIM = 1 << 12,
    JOURNAL = 1 << 13,
    DOCTOR = 1 << 14,
    VERSION = 1 << 15,
    COMPLETION = 1 << 16,
    MAN = 1 << 17,
    ALL = (1 << 18) - 1,
    MANIFESTS =
        VALIDATE | PLAN | APPLY | DRIFT | WATCH | ACTIVATE | GRAPH | EXPORT | RUNBOOK | IMPACT | FORECAST | DOCTOR,
    MANIFESTS_NEEDED = MANIFESTS & ~EXPORT,
    LIVE = PLAN | APPLY | DRIFT | WATCH | ACTIVATE | GRAPH | EXPORT | RUNBOOK | IMPACT | FORECAST | DOCTOR,
    FINDING = VALIDATE | DRIFT | FORECAST, /* answers that are a list of findings */
};

/* The position of a command is its bit above. */
static const struct command commands[COMMAND_COUNT] = {
    [COMMAND_EXPORT] = {"export", "",
                        "write manifests for what exists: a vault's protected confidential VMs and all they depend on"},
    [COMMAND_VALIDATE] = {"validate", "", "check manifests without asking Azure anything"},
    [COMMAND_FORECAST] =
        {"forecast", "",
         "which VMs could be restored now, how, and what would break it when; exit 2 when any is at risk"},
    [COMMAND_PLAN] = {"plan", "", "show what would be done, and why; changes nothing"},
    [COMMAND_ACTIVATE] = {"activate", "[RESTORED-VM...]",
                          "list recovery points with the forecast for each, and print the order (Activation) for VMs"},
    [COMMAND_APPLY] = {"apply", "", "do it, after confirmation"},
    [COMMAND_RUNBOOK] = {"runbook", "", "print the plan as commands that a person can run when this tool cannot"},
    [COMMAND_DRIFT] = {"drift", "", "what differs from the declaration; exit 2 when something does"},
    [COMMAND_WATCH] = {"watch", "", "pass after pass, documents read anew: report transitions, finish ordered work"},
    [COMMAND_IMPACT] = {"impact", "",
                        "which recovery points, disks and VMs die with a key, its store or a disk encryption set"},
    [COMMAND_GRAPH] = {"graph", "", "draw documents, the plan, or what recovery points hang on, as DOT or Mermaid"},
    [COMMAND_EXPLAIN] = {"explain", "[KIND[.FIELD...]|N-17|ERROR|scenarios|errors|policy|credentials]",
                         "tell what a kind, a field or a name in a plan means"},
    [COMMAND_SIM] = {"sim", "", "serve a simulated Azure over HTTPS on this machine"},
    [COMMAND_JOURNAL] = {"journal", "verify FILE", "check the audit record: edits, cuts, and a chain written anew"},
    [COMMAND_DOCTOR] = {"doctor", "",
                        "who we are, what answers, which rights are there and which lack; exit 2 when something does"},
    [COMMAND_VERSION] = {"version", "", "print the version"},
    [COMMAND_COMPLETION] = {"completion", "bash|zsh|fish", "print what makes the shell complete commands and options"},
    [COMMAND_MAN] = {"man", "", "print the manual page; reinstate man | man -l - shows it"},
};

#define AT(field) offsetof(struct options, field)

static const struct option_row rows[] = {
    {"file", 'f', TYPE_TEXTS, AT(paths), MANIFESTS, 0, "PATH",
     "manifests: a file, a folder (*.yaml, *.yml) or - for standard input; may be repeated"},
    {"recursive", 'R', TYPE_FLAG, AT(recursive), MANIFESTS, 0, NULL, "folders with all their subfolders"},
    {"target", 0, TYPE_TEXTS, AT(targets), MANIFESTS, 0, "KIND/NAME", "the same as -l, by name; may be repeated"},
    {"selector", 'l', TYPE_TEXT, AT(selector), MANIFESTS, 0, "LABELS",
     "only documents with these labels (a=b, a!=b, a in (b,c), a notin (b,c), a, !a), what they refer to, and the "
     "grants of what they restore; others are still heeded"},
    {"allow-path", 0, TYPE_TEXTS, AT(allow_paths), MANIFESTS, 0, "FOLDER",
     "a Key's sources[].file.path may also lead below this folder, not only below its manifest's; may be repeated"},
    {"output", 'o', TYPE_OUTPUT, AT(output), ALL & ~(COMPLETION | MAN), 0, "text|json",
     "form of the answer on standard output; validate, drift and forecast also: junit, sarif, github; doctor "
     "also: markdown"},
    {"detailed-exitcode", 0, TYPE_FLAG, AT(detailed_exitcode), PLAN, 0, NULL, "exit 2 when there is something to do"},
    {"explain-reads", 0, TYPE_FLAG, AT(explain_reads), PLAN, 0, NULL,
     "also what was asked of which Azure service, by list or one by one, and how long that takes under its limits"},
    {"full", 0, TYPE_FLAG, AT(full), APPLY, 0, NULL,
     "also the whole plan, above what sums it up; without a question it stands below in any case"},
    {"all", 0, TYPE_FLAG, AT(all), PLAN | APPLY, 0, NULL, "also the documents for which there is nothing to do"},
    {"out", 0, TYPE_TEXT, AT(out), PLAN | EXPORT | ACTIVATE, 0, "PATH",
     "plan: save the plan for apply --plan. export: folder for the manifests. activate: file for the order"},
    {"force", 0, TYPE_FLAG, AT(force), PLAN | EXPORT | ACTIVATE, 0, NULL, "replace files that are there already"},
    {"vault", 0, TYPE_TEXT, AT(vault), EXPORT, 0, "ID", "the Recovery Services vault, by its ARM id"},
    {"vault-name", 0, TYPE_TEXT, AT(vault_name), EXPORT, 0, "NAME",
     "the vault by its name, in the Azure document's subscription if -f gives one"},
    {"item", 0, TYPE_TEXT, AT(item), EXPORT, 0, "ID",
     "one VM only: ARM id of the protected item (no --vault needed then) or of the VM, or its name"},
    {"restore-to", 0, TYPE_TEXT, AT(restore_to), EXPORT, 0, "GROUP,SUBNET,STAGING",
     "also where the VMs would come back: group, VNET/SUBNET and storage account, by name in that group or by ARM id"},
    {"discover", 0, TYPE_TEXT, AT(discover), FORECAST | IMPACT | GRAPH, 0, "VAULT",
     "every protected confidential VM of this Recovery Services vault (ARM id or name), without manifests"},
    {"within", 0, TYPE_DURATION, AT(within_ms), FORECAST, 0, "DURATION",
     "what breaks sooner makes a VM at risk (default 30d)"},
    {"disks-per-set", 0, TYPE_COUNT, AT(disks_per_set), FORECAST, 1000000, "N",
     "disks that one disk encryption set may have; documents say 40, later ones 6000 (default 40)"},
    {"verbose", 0, TYPE_FLAG, AT(verbose), FORECAST, 0, NULL, "also every observation behind a forecast, F1 to F27"},
    {"plan", 0, TYPE_TEXT, AT(saved_plan), APPLY, 0, "FILE", "do this saved plan and nothing else"},
    {"auto-approve", 0, TYPE_FLAG, AT(auto_approve), APPLY | WATCH, 0, NULL,
     "do not ask; approves no policy rule. watch: also heal drift that nobody ordered"},
    {"approve", 0, TYPE_APPROVAL, AT(approvals), PLAN | APPLY | WATCH | RUNBOOK, 0, "RULE=NAME",
     "approve what a policy rule holds back, in your name, for one run (watch: one pass); may be repeated"},
    {"take-over", 0, TYPE_APPROVAL, AT(take_overs), APPLY | WATCH, 0, "CLAIM=NAME",
     "you have looked: this claim of a restore stands for no job; counted as ended, in your name; may be repeated"},
    {"policy", 0, TYPE_TEXT, AT(policy), LIVE | VALIDATE, 0, "PATH",
     "obey these Policy documents instead of those among the manifests"},
    {"cloud", 0, TYPE_TEXT, AT(cloud), LIVE, 0, "NAME|FILE",
     "the cloud that credentials go to: AzurePublic (default), AzureUSGovernment, AzureChina, or a file (see sim "
     "--write-cloud)"},
    {"credential", 0, TYPE_TEXT, AT(credential), LIVE, 0, "NAME",
     "sign in with this and nothing else (default: the first that does): tokens, client-secret, client-certificate, "
     "workload-identity, pipelines, github, managed-identity, azure-cli, azd"},
    {"world", 0, TYPE_TEXT, AT(world), LIVE | SIM, 0, "FILE", "a simulated Azure, from this World document"},
    {"world-out", 0, TYPE_TEXT, AT(world_out), LIVE | SIM, 0, "FILE", "keep the simulated world here, at every change"},
    {"as", 0, TYPE_TEXT, AT(as), LIVE, 0, "PRINCIPAL",
     "who we are in the simulated world (default: the first principal with a secret)"},
    {"record", 0, TYPE_TEXT, AT(record), LIVE | SIM, 0, "FILE",
     "append every exchange as a line of JSON, without secrets"},
    {"history", 0, TYPE_TEXT, AT(history), LIVE & ~EXPORT, 0, "PATH|URL",
     "remember here which key each VM was on: a file, or a blob (which only apply and watch write)"},
    {"journal", 0, TYPE_TEXT, AT(journal), APPLY | WATCH, 0, "PATH",
     "audit record (default reinstate.journal; none: no record)"},
    {"head", 0, TYPE_TEXT, AT(head), JOURNAL, 0, "DIGEST",
     "the head that apply or watch printed when they ended: the record must have stood there"},
    {"export-lookback", 0, TYPE_DURATION, AT(export_lookback_ms), LIVE, 0, "DURATION",
     "how old an exported key may be that is used instead of another failing restore, and how far back what jobs left "
     "is looked for, 90d at least (default 90d)"},
    {"settle", 0, TYPE_DURATION, AT(settle_ms), LIVE, 0, "DURATION",
     "between the two looks before a restore is ordered (default 60s)"},
    {"interval", 0, TYPE_DURATION, AT(interval_ms), WATCH, 0, "DURATION", "between passes (default 10m)"},
    {"passes", 0, TYPE_COUNT, AT(passes), WATCH, 1000000, "N", "stop after so many passes (default 0: never)"},
    {"pace", 0, TYPE_FACTOR, AT(pace), LIVE, 0, "N",
     "with --world: simulated seconds per second, to watch (default 0: jump)"},
    {"command", 0, TYPE_NEEDED_FOR, AT(needed_for), DOCTOR, 0, "plan|forecast|apply|watch",
     "only what this command needs (default: all of them)"},
    {"role", 0, TYPE_ROLE, AT(role), DOCTOR, 0, "read|read-subscription|read-data|act|make|recover|grant|act-data",
     "print the least role that holds what is needed of this part, for az role definition create"},
    {"assign", 0, TYPE_FLAG, AT(assign), DOCTOR, 0, NULL,
     "print the commands that make these roles and give them to us"},
    {"list", 0, TYPE_FLAG, AT(list), ACTIVATE, 0, NULL, "only list the recovery points, with the forecast for each"},
    {"newest", 0, TYPE_FLAG, AT(newest), ACTIVATE, 0, NULL, "the newest recovery point, whatever tier it is in"},
    {"point", 0, TYPE_TEXT, AT(point), ACTIVATE, 0, "ID", "this recovery point"},
    {"purpose", 0, TYPE_PURPOSE, AT(purpose), ACTIVATE, 0, "recovery|drill",
     "what the order is for (default recovery); a drill restores the same way, and reports tell it apart"},
    {"format", 0, TYPE_DRAWING, AT(format), GRAPH, 0, "dot|mermaid", "language of the drawing (default dot)"},
    {"disable", 0, TYPE_TEXT, AT(disable), IMPACT, 0, "KEY[/VERSION]",
     "if this key, or this version of it, were disabled"},
    {"delete", 0, TYPE_TEXT, AT(delete), IMPACT, 0, "DES|KEY|VAULT",
     "if this were deleted: a document's name (Kind/name), an ARM id or a key's URL; for --disable too"},
    {"lineage", 0, TYPE_FLAG, AT(lineage), GRAPH, 0, NULL,
     "instead: recovery points, key versions, sets, disks and VMs; reads Azure"},
    {"steps", 0, TYPE_FLAG, AT(steps), GRAPH, 0, NULL, "also the steps of the plan; reads Azure"},
    {"shell", 0, TYPE_SHELL, AT(shell), RUNBOOK, 0, "powershell|cli|curl",
     "whose commands: Azure PowerShell (default), Azure CLI, or curl"},
    {"port", 0, TYPE_COUNT, AT(port), SIM, 65535, "N", "port to listen at (default 0: any free one)"},
    {"write-cloud", 0, TYPE_TEXT, AT(write_cloud), SIM, 0, "FILE", "write what --cloud needs: endpoints and authority"},
    {"play", 0, TYPE_TEXT, AT(play), SIM, 0, "FILE",
     "do not serve: send this scenario's requests to the world, and end"},
    {"speed", 0, TYPE_FACTOR, AT(speed), SIM, 0, "N",
     "simulated seconds per second (default 1); 0: the clock stands, and https://clock.localhost:PORT/SECONDS moves it "
     "on"},
    {"help", 'h', TYPE_FLAG, AT(help), ALL, 0, NULL, "this text"},
};

/* --- words of the command line ------------------------------------------------------------------------------------ */

static const struct command *command_find(const char *name)
{
    for (size_t i = 0; i < COUNT(commands); i++)
        if (str_eq(commands[i].name, name))
            return &commands[i];
    return NULL;
}

enum command_at command_at(const struct command *command)
{
    return (enum command_at)(command - commands);
}

static unsigned command_bit(const struct command *command)
{
    return command ? 1u << (command - commands) : ALL;
}

static const struct option_row *row_find(const char *name, size_t len)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (strlen(rows[i].name) == len && !strncmp(rows[i].name, name, len))
            return &rows[i];
    return NULL;
}

static const struct option_row *row_of_letter(char letter)
{
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].letter && rows[i].letter == letter)
            return &rows[i];
    return NULL;
}

static int unknown_option(struct arena *a, const char *word, const struct command *command, struct err *err)
{
    const char *names[COUNT(rows) + 1], *near;
    size_t n = 0, len = strcspn(word, "=");

    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].commands & command_bit(command))
            names[n++] = arena_printf(a, "--%s", rows[i].name);
    names[n] = NULL;
    near = did_you_mean(arena_strndup(a, word, len), names);
    err_set(err, ERR_INVALID, "there is no option %.*s", (int)len, word);
    if (near)
        return err_advise(err, "did you mean %s?", near);
    return err_advise(err, "reinstate %s%s--help lists them", command ? command->name : "", command ? " " : "");
}

static int unknown_command(const char *word, struct err *err)
{
    const char *names[COUNT(commands) + 2], *near;

    for (size_t i = 0; i < COUNT(commands); i++)
        names[i] = commands[i].name;
    names[COUNT(commands)] = "help";
    names[COUNT(commands) + 1] = NULL;
    near = did_you_mean(word, names);
    err_set(err, ERR_INVALID, "there is no command \"%s\"", word);
    return near ? err_advise(err, "did you mean %s?", near) : err_advise(err, "reinstate --help lists them");
}

struct scan {
    struct arena *arena;
    char *const *argv;
    int argc, at;
    struct options *o;
    const struct option_row *given[COUNT(rows)];     /* checked against the command once it is known */
    size_t n_given;
};

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
    return option_value_store(s->arena, row, value, s->o, err);
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
    if ((bit & MANIFESTS_NEEDED) && !o->discover && !o->paths.count)
        return err_set(err, ERR_INVALID, "which manifests? Give -f PATH (a file, a folder, or - for standard input)");
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
    return *at < COUNT(commands) ? &commands[(*at)++] : NULL;
}

bool option_next(const struct command *command, size_t *at, struct option_told *ret)
{
    while (*at < COUNT(rows)) {
        const struct option_row *row = &rows[(*at)++];

        if (!(row->commands & command_bit(command)))
            continue;
        *ret = (struct option_told){.name = row->name, .letter = row->letter, .value = row->value, .help = row->help};
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
