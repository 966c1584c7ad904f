/* The tables of commands and options, which options.c and nobody else reads. */
#ifndef REINSTATE_OPTION_ROWS_H
#define REINSTATE_OPTION_ROWS_H

#include "option_values.h"

/* The bit of a command is its position in the table. */
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
