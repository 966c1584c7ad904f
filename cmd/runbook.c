/* runbook: the plan as what a person does when the tool cannot, in the shell that he has. Looks only. */
#include "../providers/runbook/runbook.h"
#include "commands.h"
#include "output.h"
#include "session.h"

int command_runbook(const struct options *o)
{
    struct session s cleanup(session_close);
    struct text t cleanup(text_release) = {0};
    struct runbook rb;
    struct look look;
    struct value *v, *whole;

    if (session_load(&s, o) < 0 || session_connect(&s, HTTP_READ_ONLY) < 0 ||
        session_look_far(&s, s.arena, &look, &s.err) < 0)
        return session_failed(&s);
    rb = runbook_make(&look.view, look.plan, &s.connections);
    text_init(&t, TEXT_CEILING);
    runbook_write(&t, &rb, o->shell);
    v = output_envelope(s.arena, o);
    value_set_string(s.arena, v, "shell", runbook_shell_names[o->shell]);
    session_mark(&s, v);
    whole = runbook_to_value(s.arena, &rb);
    for (size_t i = 0; i < value_count(whole); i++)
        value_set(s.arena, v, whole->map.members[i].key, whole->map.members[i].value);
    value_set_string(s.arena, v, "script", text_str(&t));
    output_document(o, v, &t);
    session_label(&s);
    return EXIT_DECLARED;
}
