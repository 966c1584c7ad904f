/* The command line, taken apart once. Every option is one row of a table; nothing else looks at argv. */
#ifndef REINSTATE_OPTIONS_H
#define REINSTATE_OPTIONS_H

#include "../reconciler/base/clock.h"
#include "../reconciler/base/text.h"
#include "../providers/runbook/runbook.h"
#include "../reconciler/model/policy.h"

enum output_format { OUTPUT_TEXT, OUTPUT_JSON, OUTPUT_JUNIT, OUTPUT_SARIF, OUTPUT_GITHUB, OUTPUT_MARKDOWN };

struct texts {
    const char **items;
    size_t count;
};

struct approvals {
    struct approval *items;
    size_t count;
};

struct options {
    const struct command *command;
    struct texts operands;
    struct texts paths;              /* -f, in order */
    struct texts allow_paths;        /* folders that file sources may also lead to */
    bool recursive;
    const char *directory;           /* -C: where all other paths start from */
    const char *selector;            /* -l; read by selection.c */
    struct texts targets;            /* --target, KIND/NAME each */
    enum output_format output;
    bool help;

    bool detailed_exitcode, explain_reads, auto_approve, steps, newest, force, lineage, list, verbose, full, all;
    bool quiet, debug, check;
    const char *pipeline;            /* init: whose; NULL: github */
    struct approvals approvals;
    struct approvals take_overs;     /* rule: the claim */
    const char *credential; /* one of credential_names; NULL: the first that is there */
    const char *out, *saved_plan, *policy, *cloud, *world, *world_out, *as, *record, *journal, *head, *play, *history;
    const char *format, *point, *write_cloud, *purpose;
    unsigned needed_for;             /* doctor: enum need_for of providers/doctor/needs.h; 0: all */
    int role;                        /* doctor: 1 and enum role_part of providers/doctor/roles.h; 0: none */
    bool assign;
    const char *vault, *vault_name, *item, *restore_to, *disable, *delete, *discover;
    int64_t within_ms, disks_per_set;
    int64_t settle_ms, export_lookback_ms, interval_ms; /* -1: not given */
    int64_t passes;                  /* 0: for ever */
    int64_t port;
    enum runbook_shell shell;
    double pace, speed;
};

struct command {
    const char *name, *operands, *summary;
};

/* The positions in the table of commands. What a command does stands in main.c: here nothing is called. */
enum command_at {
    COMMAND_INIT,
    COMMAND_EXPORT,
    COMMAND_VALIDATE,
    COMMAND_FMT,
    COMMAND_FORECAST,
    COMMAND_PLAN,
    COMMAND_ACTIVATE,
    COMMAND_APPLY,
    COMMAND_RUNBOOK,
    COMMAND_DRIFT,
    COMMAND_WATCH,
    COMMAND_IMPACT,
    COMMAND_GRAPH,
    COMMAND_EXPLAIN,
    COMMAND_SIM,
    COMMAND_JOURNAL,
    COMMAND_DOCTOR,
    COMMAND_VERSION,
    COMMAND_COMPLETION,
    COMMAND_MAN,
    COMMAND_COUNT
};
enum command_at command_at(const struct command *command);

/* Fills `ret` (strings point into argv or the arena). ERR_INVALID says what is wrong and what was probably meant. The
 * output format is set in `ret` even on failure, so that the error can be told in it. */
must_use int options_parse(struct arena *a, int argc, char *const *argv, struct options *ret, struct err *err);

/* Whether the command of that name takes the option of that name. */
bool options_take(const char *command, const char *option);

/* The tables, one row after the other: of commands, and of the options that a command takes (NULL: of all). `at` begins
 * at 0. For what is written from them (manual.c). */
struct option_told {
    const char *name, *value, *help; /* value: what stands for it in the help; NULL: the option takes none */
    char letter;                     /* 0: it has none */
};
const struct command *command_next(size_t *at);
bool option_next(const struct command *command, size_t *at, struct option_told *ret);
/* The i-th example of a command, as it is typed; NULL: there is no further one. */
const char *option_example(const struct command *command, size_t i);
extern const char *const option_exit_codes[]; /* code, meaning, code, meaning...; NULL ends them */

/* Help of one command, or of all when `command` is NULL. */
void options_usage(struct text *out, const struct command *command);

#endif
