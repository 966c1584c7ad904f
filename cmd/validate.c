/* validate: all that can be said about manifests without asking Azure. */
#include "commands.h"
#include "output.h"
#include "session.h"

int command_validate(const struct options *o)
{
    struct session s cleanup(session_close);
    struct text t cleanup(text_release) = {0};
    struct value *v;
    size_t n;
    int code;

    if (session_load(&s, o) < 0 && (o->output == OUTPUT_TEXT || !s.diags.n_errors))
        return session_failed(&s);
    n = s.diags.n_errors ? 0 : s.estate.desired->count;
    code = s.diags.n_errors ? EXIT_ERROR : EXIT_DECLARED;
    text_init(&t, TEXT_CEILING);
    text_printf(&t, "valid: %zu document%s\n", n, n == 1 ? "" : "s");
    v = output_envelope(s.arena, o);
    value_set_bool(s.arena, v, "valid", !s.diags.n_errors);
    value_set_int(s.arena, v, "documents", (int64_t)n);
    value_set_int(s.arena, v, "errors", (int64_t)s.diags.n_errors);
    value_set_int(s.arena, v, "warnings", (int64_t)(s.diags.count - s.diags.n_errors));
    value_set(s.arena, v, "diagnostics", output_diags_value(s.arena, &s.diags));
    value_set_int(s.arena, v, "exitCode", code);
    output_either(o, v, &t);
    return code;
}
