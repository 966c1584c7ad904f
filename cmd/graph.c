/* graph: documents and what they refer to; with --steps also the plan, with --lineage instead what each recovery point
 * hangs on. Both need a look at the world. */
#include "commands.h"
#include "output.h"
#include "session.h"
#include "../providers/forecast/lineage.h"
#include "../reconciler/model/drawing.h"

int command_graph(const struct options *o)
{
    struct session s cleanup(session_close);
    struct text t cleanup(text_release) = {0};
    enum drawing_language language = str_eq(o->format, "mermaid") ? DRAWING_MERMAID : DRAWING_DOT;
    struct look look = {0};
    bool looks = o->steps || o->lineage;
    struct value *v;

    if (looks || o->discover ? session_open(&s, o) < 0 : session_load(&s, o) < 0)
        return session_failed(&s);
    if (looks && session_look(&s, s.arena, &look, &s.err) < 0)
        return session_failed(&s);
    text_init(&t, TEXT_CEILING);
    if (o->lineage)
        lineage_draw(&t, language, &look.view);
    else
        draw_estate(&t, language, s.estate.desired, look.plan);
    v = output_envelope(s.arena, o);
    value_set_string(s.arena, v, "format", o->format);
    value_set_string(s.arena, v, "graph", text_str(&t));
    output_document(o, v, &t);
    session_label(&s);
    return EXIT_DECLARED;
}
