/* The commands: one function each, all with the same shape, and the signal flags they look at. */
#ifndef REINSTATE_COMMANDS_H
#define REINSTATE_COMMANDS_H

#include "options.h"

#define REINSTATE_VERSION "0.1.0"

enum exit_code {
    EXIT_DECLARED = 0,       /* as declared, or shown */
    EXIT_ERROR = 1,
    EXIT_DIFFERENCES = 2,
    EXIT_BLOCKED = 3,
    EXIT_PARTLY = 4
};

/* Each returns its exit code. */
int command_init(const struct options *o);
int command_fmt(const struct options *o);
int command_validate(const struct options *o);
int command_plan(const struct options *o);
int command_apply(const struct options *o);
int command_drift(const struct options *o);
int command_forecast(const struct options *o);
int command_watch(const struct options *o);
int command_activate(const struct options *o);
int command_sim(const struct options *o);
int command_explain(const struct options *o);
int command_graph(const struct options *o);
int command_runbook(const struct options *o);
int command_impact(const struct options *o);
int command_export(const struct options *o);
int command_doctor(const struct options *o);
int command_journal(const struct options *o);
int command_version(const struct options *o);
int command_completion(const struct options *o);
int command_man(const struct options *o);

/* SIGUSR1 asks for a list of what runs; a broken pipe is an error of the write. */
void signals_begin(void);
/* Until a command calls this, an interrupt ends the process. From then on interrupts are counted: the first asks to
 * drain, the second to abort; `second_ends` is for runs in which nobody would look at the count in time: it ends the
 * process, with these words on standard error (NULL: none). */
void interrupts_catch(bool second_ends, const char *words);
int interrupts_seen(void);
/* True once after each SIGUSR1. */
bool dump_wanted(void);

#endif
