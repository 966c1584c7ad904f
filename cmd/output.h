/* Where words go: data on standard output, talk on standard error, errors in the form that was asked for. */
#ifndef REINSTATE_OUTPUT_H
#define REINSTATE_OUTPUT_H

#include <stdio.h>

#include "options.h"
#include "../reconciler/model/report.h"
#include "../reconciler/run/record.h"

/* One line on standard error. */
void talk(const char *fmt, ...) printf_like(1, 2);

/* On standard output. JSON is one object, then a line end. Words for people are wrapped to a terminal's width; text is
 * not: a manifest or a script must come out as it is. */
void output_text(const struct text *t);
void output_words(const struct text *t);
void output_json(const struct value *v);
void output_json_line(const struct value *v);
/* Whether these options ask for one object a line: events, and the answer last (apply and watch with -o json). */
bool output_lines(const struct options *o);
/* Several lines on standard error. */
void output_aside(const struct text *t);
/* {"formatVersion": 1, "command": NAME} */
struct value *output_envelope(struct arena *a, const struct options *o);
/* Writes `v` as JSON, or `t` as words for people, as the options say. */
void output_either(const struct options *o, const struct value *v, const struct text *t);
/* The same, where `t` is a manifest, a script or a drawing. */
void output_document(const struct options *o, const struct value *v, const struct text *t);

/* Writes a list of findings in the form asked for: junit, sarif or github. */
struct findings;
void output_findings(const struct options *o, const struct findings *f);

/* Colour and width for a stream: none unless it is a terminal; no colour with NO_COLOR or TERM=dumb. Commands name this
 * call's own manifests (call.h). */
struct report_style output_style(FILE *stream);
/* Lines of that terminal; 24 where it does not say. */
size_t output_rows(FILE *stream);

/* Diagnostics, errors and warnings, sorted, on standard error. */
void output_diags(const struct options *o, struct diags *d);
struct value *output_diags_value(struct arena *a, const struct diags *d);
struct value *output_err_value(struct arena *a, const struct err *err);
/* Tells why a command cannot go on: the diagnostics if they hold an error, else `err`. Returns the exit code. */
int output_failure(const struct options *o, struct diags *d, const struct err *err);
/* 3 for what waits for policy, an order or a person; else 1. */
int output_exit_code(const struct err *err);

/* One line on standard error: something that was to be kept is not. The exit code says so too. */
void output_lack(const char *fmt, ...) printf_like(1, 2);
/* The exit code with that counted so far. */
int output_counted(int code);
/* Writes out what is still held back, and counts that too. */
int output_end(int code);
void output_flush(void);

/* Closes it, and says so when lines are missing. NULL is fine. */
void output_recorder_close(struct recorder *r);

#endif
