/* The tables of commands and options, which options.c and nobody else reads. */
#ifndef REINSTATE_OPTION_ROWS_H
#define REINSTATE_OPTION_ROWS_H

#include "option_values.h"

enum {
    INIT = 1 << COMMAND_INIT,
    EXPORT = 1 << COMMAND_EXPORT,
    VALIDATE = 1 << COMMAND_VALIDATE,
    FMT = 1 << COMMAND_FMT,
    FORECAST = 1 << COMMAND_FORECAST,
    PLAN = 1 << COMMAND_PLAN,
    ACTIVATE = 1 << COMMAND_ACTIVATE,
    APPLY = 1 << COMMAND_APPLY,
    RUNBOOK = 1 << COMMAND_RUNBOOK,
    DRIFT = 1 << COMMAND_DRIFT,
    WATCH = 1 << COMMAND_WATCH,
    IMPACT = 1 << COMMAND_IMPACT,
    GRAPH = 1 << COMMAND_GRAPH,
    EXPLAIN = 1 << COMMAND_EXPLAIN,
    SIM = 1 << COMMAND_SIM,
    JOURNAL = 1 << COMMAND_JOURNAL,
    DOCTOR = 1 << COMMAND_DOCTOR,
    VERSION = 1 << COMMAND_VERSION,
    COMPLETION = 1 << COMMAND_COMPLETION,
    MAN = 1 << COMMAND_MAN,
    ALL = (1 << COMMAND_COUNT) - 1,
    CHOSEN = VALIDATE | PLAN | APPLY | DRIFT | WATCH | ACTIVATE | GRAPH | EXPORT | RUNBOOK | IMPACT | FORECAST | DOCTOR,
    MANIFESTS = CHOSEN | FMT, /* of those that are chosen from a part may be meant */
    MANIFESTS_NEEDED = MANIFESTS & ~EXPORT,
    LIVE = PLAN | APPLY | DRIFT | WATCH | ACTIVATE | GRAPH | EXPORT | RUNBOOK | IMPACT | FORECAST | DOCTOR,
    CONNECTED = LIVE | INIT,
    FINDING = VALIDATE | DRIFT | FORECAST, /* answers that are a list of findings */
};

extern const struct command option_commands[COMMAND_COUNT];
extern const struct option_row option_rows[];
enum { OPTION_ROWS_MAX = 100 };
extern const size_t option_n_rows;

/* What an option is called where one command alone is spoken of: its value and help there. NULL fields: as in its row.
 */
struct option_there {
    const char *name;
    unsigned commands;
    const char *value, *help;
};
/* Ends with a NULL name. */
extern const struct option_there option_there[];

#endif
