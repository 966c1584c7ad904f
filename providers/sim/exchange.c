/* Knows how a request is asked for its parts and how an answer is put together: what every service needs and none owns.
 * Must not know who answers, nor the state. */
#include "internal.h"

#include "../../reconciler/format/json.h"

/* --- requests ----------------------------------------------------------------------------------------------------- */

const char *request_query(const struct sim_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_query; i++)
        if (str_eq_nocase(r->query_names[i], name))
            return r->query_values[i];
    return NULL;
}

const char *request_header(const struct sim_request *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return NULL;
}

const char *request_segment(const struct sim_request *r, size_t i)
{
    return i < r->n_segments ? r->segments[i] : "";
}

bool request_is(const struct sim_request *r, const char *method)
{
    return str_eq(r->method, method);
}

char *request_path(const struct sim_request *r, size_t n)
{
    struct text t;
    char *ret;

    text_init(&t, TEXT_CEILING);
    for (size_t i = 0; i < n && i < r->n_segments; i++)
        text_printf(&t, "/%s", r->segments[i]);
    ret = arena_strdup(r->arena, text_str(&t));
    text_release(&t);
    return ret;
}

size_t arm_provider_at(const struct sim_request *r)
{
    size_t at = SIZE_MAX;

    for (size_t i = 0; i < r->n_segments; i++)
        if (str_eq_nocase(r->segments[i], "providers"))
            at = i;
    return at;
}

/* --- answers ------------------------------------------------------------------------------------------------------ */

void answer_header(struct arena *a, struct sim_answer *out, const char *name, const char *fmt, ...)
{
    struct sim_header h = {.name = arena_strdup(a, name)};
    va_list ap;

    va_start(ap, fmt);
    h.value = arena_vprintf(a, fmt, ap);
    va_end(ap);
    arena_push(a, out->headers, out->n_headers, h);
}

void answer_json(struct arena *a, struct sim_answer *out, int status, const struct value *body)
{
    out->status = status;
    text_clear(&out->body);
    json_write(&out->body, body, JSON_COMPACT);
    answer_header(a, out, "Content-Type", "application/json; charset=utf-8");
}

void answer_empty(struct sim_answer *out, int status)
{
    out->status = status;
    text_clear(&out->body);
}

static struct value *error_body(struct arena *a, const char *code, const char *message)
{
    struct value *error = value_map(a), *body = value_map(a);

    value_set_string(a, error, "code", code);
    value_set_string(a, error, "message", message);
    value_set(a, body, "error", error);
    return body;
}

void answer_arm_error(struct arena *a, struct sim_answer *out, int status, bool gateway, const char *code,
                      const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    answer_json(a, out, status, error_body(a, code, arena_vprintf(a, fmt, ap)));
    va_end(ap);
    if (gateway)
        answer_header(a, out, "x-ms-failure-cause", "gateway");
}
