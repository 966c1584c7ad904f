/* Knows the two streams, the terminal and the envelope of JSON answers. Must not know what any command means. */
#include "output.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "../providers/azure/credential.h"
#include "../reconciler/format/json.h"
#include "../reconciler/model/page.h"
#include "call.h"
#include "commands.h"
#include "findings.h"

/* Narrower than that no words are laid out: they run into the next line. */
enum { NARROW = 20 };

/* The last door. What was put together of others' words has been through str_shown by then; whatever was forgotten is
 * caught here, but for a line end in the middle of a word. */
static const char *shown(struct arena *a, FILE *stream, const char *text)
{
    return str_shown_lines(a, call_filled(a, text), output_style(stream).colour);
}

/* Words for people: a terminal would break them anywhere. */
static void show_words(FILE *stream, const char *text)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {.ceiling = TEXT_CEILING};
    struct report_style style = output_style(stream);
    const struct page page = {.out = &t, .style = &style, .arena = a};

    text = shown(a, stream, text);
    if (style.width)
        page_fold(&page, text);
    fputs(style.width ? text_str(&t) : text, stream);
}

void talk(const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;

    /* Where both go to one log, the answer so far comes first. */
    fflush(stdout);
    va_start(ap, fmt);
    show_words(stderr, arena_printf(a, "%s\n", str_shown(a, arena_vprintf(a, fmt, ap))));
    va_end(ap);
}

void output_text(const struct text *t)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    fputs(shown(a, stdout, text_str(t)), stdout);
}

void output_words(const struct text *t)
{
    show_words(stdout, text_str(t));
}

void output_aside(const struct text *t)
{
    fflush(stdout);
    show_words(stderr, text_str(t));
}

static void json_show(struct text *lines)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    fputs(json_shown(a, text_str(lines)), stdout);
    text_clear(lines);
}

/* Whole lines, as they come: the answer about a large estate is never in memory as one text. What json_shown looks for
 * spans no line. */
static void json_lines_show(void *ctx, const char *s, size_t n)
{
    struct text *rest = ctx;
    const char *end = memrchr(s, '\n', n);
    size_t whole = end ? (size_t)(end - s) + 1 : 0;

    text_add_n(rest, s, whole);
    if (whole)
        json_show(rest);
    text_add_n(rest, s + whole, n - whole);
}

void output_json(const struct value *v)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {0}, rest cleanup(text_release) = {0};

    text_init(&rest, TEXT_CEILING);
    text_init(&t, TEXT_CEILING);
    t.spill = json_lines_show;
    t.spill_ctx = &rest;
    json_write(&t, call_filled_value(a, v), JSON_INDENTED);
    text_add_char(&t, '\n');
    json_lines_show(&rest, text_str(&t), t.len);
}

void output_json_line(const struct value *v)
{
    struct arena *a cleanup(arena_freep) = arena_new();

    printf("%s\n", json_shown(a, json_string(a, call_filled_value(a, v), JSON_COMPACT)));
}

bool output_lines(const struct options *o)
{
    return o->output == OUTPUT_JSON && o->command &&
           (command_at(o->command) == COMMAND_APPLY || command_at(o->command) == COMMAND_WATCH);
}

static void json_out(const struct options *o, const struct value *v)
{
    if (output_lines(o))
        output_json_line(v);
    else
        output_json(v);
}

struct value *output_envelope(struct arena *a, const struct options *o)
{
    struct value *v = value_map(a);

    value_set_int(a, v, "formatVersion", PLAN_FORMAT_VERSION);
    value_set_string(a, v, "command", o->command ? o->command->name : "");
    return v;
}

void output_either(const struct options *o, const struct value *v, const struct text *t)
{
    if (o->output == OUTPUT_JSON)
        json_out(o, v);
    else
        output_words(t);
}

void output_document(const struct options *o, const struct value *v, const struct text *t)
{
    if (o->output == OUTPUT_JSON)
        output_json(v);
    else
        output_text(t);
}

void output_findings(const struct options *o, const struct findings *f)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct text t cleanup(text_release) = {0};

    text_init(&t, TEXT_CEILING);
    findings_write(&t, o->output, f);
    /* Each text in it is harmless by itself; an annotation is an order to the build server, and means to be. */
    fputs(call_filled(a, text_str(&t)), stdout);
}

struct report_style output_style(FILE *stream)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    struct report_style style = {.filled = call_filled};
    struct winsize size;

    if (!isatty(fileno(stream)))
        return style;
    style.colour = !(no_color && *no_color) && !str_eq(term, "dumb");
    style.width = ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 100;
    style.width = style.width && style.width < NARROW ? NARROW : style.width;
    return style;
}

size_t output_rows(FILE *stream)
{
    struct winsize size;

    return ioctl(fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_row > 0 ? size.ws_row : 24;
}

/* --- diagnostics and errors --------------------------------------------------------------------------------------- */

static void diags_talk(struct diags *d)
{
    diags_sort(d);
    for (size_t i = 0; i < d->count; i++)
        talk("%s", diag_format(d->arena, &d->items[i]));
    if (d->dropped)
        talk("and %zu more", d->dropped);
}

void output_diags(const struct options *o, struct diags *d)
{
    if (o->output == OUTPUT_TEXT || o->output == OUTPUT_MARKDOWN || !d->n_errors)
        diags_talk(d);
}

struct value *output_diags_value(struct arena *a, const struct diags *d)
{
    struct value *list = value_list(a);

    for (size_t i = 0; i < d->count; i++) {
        const struct diag *diag = &d->items[i];
        struct value *v = value_map(a);

        value_set_string(a, v, "severity", diag->severity == SEVERITY_ERROR ? "error" : "warning");
        value_set_string(a, v, "file", diag->origin.file);
        if (diag->origin.line) {
            value_set_int(a, v, "line", diag->origin.line);
            value_set_int(a, v, "column", diag->origin.column);
        }
        value_set_string(a, v, "what", diag->what);
        value_set_string(a, v, "instead", diag->instead);
        value_push(a, list, v);
    }
    return list;
}

struct value *output_err_value(struct arena *a, const struct err *err)
{
    struct value *v = value_map(a);

    value_set_string(a, v, "class", err_class_name(err->class));
    value_set_string(a, v, "message", err->text);
    value_set_string(a, v, "code", err->code[0] ? err->code : NULL);
    if (err->http_status)
        value_set_int(a, v, "status", err->http_status);
    return v;
}

int output_exit_code(const struct err *err)
{
    return err->class == ERR_BLOCKED ? EXIT_BLOCKED : EXIT_ERROR;
}

/* A command that failed reports its failure as a fault: an empty list would look like "all is well". */
static void failure_findings(struct arena *a, const struct options *o, const struct diags *d, const struct err *err)
{
    struct findings findings = {.arena = a, .tool = o->command ? o->command->name : "", .made_ms = TIME_NONE};

    findings_add_diags(&findings, d);
    if (!d || !d->n_errors)
        findings_add_err(&findings, err);
    output_findings(o, &findings);
}

/* A list has a line for each of its entries; any other text is one line, whatever a service put into it. */
static void failure_talk(const struct options *o, const struct err *err)
{
    const char *text = err->text;
    size_t n = str_eq(err->code, NO_CREDENTIAL) ? strcspn(text, "\n") : strlen(text);

    talk("reinstate%s%s: %.*s", o->command ? " " : "", o->command ? o->command->name : "", (int)n, text);
    while (text[n]) {
        text += n + 1;
        n = strcspn(text, "\n");
        talk("%.*s", (int)n, text);
    }
}

int output_failure(const struct options *o, struct diags *d, const struct err *err)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    bool faults = d && d->n_errors;
    struct err summary;
    struct value *v;

    if (d)
        diags_talk(d);
    if (faults)
        err_set(&summary, ERR_INVALID, "%zu fault%s found", d->n_errors + d->dropped,
                d->n_errors + d->dropped == 1 ? "" : "s");
    else
        summary = *err;
    failure_talk(o, &summary);
    if (o->output > OUTPUT_JSON && o->output != OUTPUT_MARKDOWN)
        failure_findings(a, o, d, &summary);
    if (o->output == OUTPUT_JSON) {
        v = output_envelope(a, o);
        value_set(a, v, "error", output_err_value(a, &summary));
        if (d && d->count)
            value_set(a, v, "diagnostics", output_diags_value(a, d));
        value_set_int(a, v, "exitCode", output_exit_code(&summary));
        json_out(o, v);
    }
    return output_exit_code(&summary);
}

/* The one thing that outlives a session: main() asks after it is closed. */
static bool lacking;

void output_lack(const char *fmt, ...)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    va_list ap;

    lacking = true;
    va_start(ap, fmt);
    talk("%s", arena_vprintf(a, fmt, ap));
    va_end(ap);
}

void output_flush(void)
{
    fflush(stdout);
}

int output_counted(int code)
{
    return lacking && code != EXIT_PARTLY ? EXIT_ERROR : code;
}

int output_end(int code)
{
    if (fflush(stdout) != 0 || ferror(stdout))
        output_lack("reinstate: standard output could not be written");
    return output_counted(code);
}

void output_recorder_close(struct recorder *r)
{
    struct err err;

    if (!r)
        return;
    if (recorder_error(r, &err) < 0)
        output_lack("The recording is not complete: %s", err.text);
    recorder_close(r);
}
