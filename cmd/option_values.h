/* How an option's value is read and where it is put. The tables (option_rows.h) alone include it. */
#ifndef REINSTATE_OPTION_VALUES_H
#define REINSTATE_OPTION_VALUES_H

#include "options.h"

enum option_type {
    TYPE_FLAG,
    TYPE_TEXT,
    TYPE_TEXTS,
    TYPE_DURATION,
    TYPE_COUNT,
    TYPE_FACTOR,
    TYPE_APPROVAL,
    TYPE_OUTPUT,
    TYPE_DRAWING,
    TYPE_PURPOSE,
    TYPE_SHELL,
    TYPE_NEEDED_FOR,
    TYPE_ROLE
};

extern const char *const option_outputs[];   /* by enum output_format; NULL ends them */

struct option_row {
    const char *name;
    char letter;
    enum option_type type;
    size_t offset;
    unsigned commands;
    int64_t max;               /* of counts */
    const char *value, *help;
};

/* `text` as the row's type wants it, put where the row says. ERR_INVALID names what would be right. */
must_use int option_value_store(struct arena *a, const struct option_row *row, const char *text, struct options *o,
                                struct err *err);

#endif
