/* Knows how the two drawing languages write a box, an arrow and a group, and how documents and steps become those. Must
 * not know who looks at the drawing. */
#include "drawing.h"

#include <string.h>

/* --- languages ---------------------------------------------------------------------------------------------------- */

/* Templates: {i} id, {j} second id, {l} label. */
struct language {
    const char *begin, *end, *group, *group_end, *box, *box_gone, *arrow[2], *arrow_labelled[2], *line_end;
    void (*add_id)(struct text *out, const char *name);
    void (*add_label)(struct text *out, const char *name);
};

static void dot_quoted(struct text *out, const char *name)
{
    for (const char *s = name; *s; s++) {
        if (*s == '"' || *s == '\\')
            text_add_char(out, '\\');
        text_add_char(out, *s);
    }
}

/* Letters, digits and underscores; all else becomes its number, so that no two names fall together. */
static void mermaid_id(struct text *out, const char *name)
{
    for (const char *s = name; *s; s++) {
        if ((*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9'))
            text_add_char(out, *s);
        else
            text_printf(out, "_%02x", (unsigned char)*s);
    }
}

static void mermaid_label(struct text *out, const char *name)
{
    for (const char *s = name; *s; s++) {
        if (strchr("\"#<>&`", *s))
            text_printf(out, "#%d;", *s);
        else
            text_add_char(out, *s);
    }
}

static const struct language languages[] = {
    [DRAWING_DOT] =
        {
            .begin = "digraph reinstate {\n  rankdir=LR;\n  node [shape=box];\n",
            .end = "}\n",
            .group = "  subgraph \"cluster_{i}\" {\n    label=\"{l}\";\n",
            .group_end = "  }\n",
            .box = "  \"{i}\" [label=\"{l}\"];\n",
            .box_gone = "  \"{i}\" [label=\"{l}\" style=dashed];\n",
            .arrow = {"  \"{i}\" -> \"{j}\";\n", "  \"{i}\" -> \"{j}\" [style=dashed];\n"},
            .arrow_labelled = {"  \"{i}\" -> \"{j}\" [label=\"{l}\"];\n",
                               "  \"{i}\" -> \"{j}\" [label=\"{l}\" style=dashed];\n"},
            .line_end = "\\n",
            .add_id = dot_quoted,
            .add_label = dot_quoted,
        },
    [DRAWING_MERMAID] =
        {
            .begin = "flowchart LR\n",
            .end = "",
            .group = "  subgraph g_{i}[\"{l}\"]\n",
            .group_end = "  end\n",
            .box = "  n_{i}[\"{l}\"]\n",
            .box_gone = "  n_{i}[\"{l}\"]\n  style n_{i} stroke-dasharray: 4\n",
            .arrow = {"  n_{i} --> n_{j}\n", "  n_{i} -.-> n_{j}\n"},
            .arrow_labelled = {"  n_{i} -->|\"{l}\"| n_{j}\n", "  n_{i} -.->|\"{l}\"| n_{j}\n"},
            .line_end = "<br/>",
            .add_id = mermaid_id,
            .add_label = mermaid_label,
        },
};

static void add_lines(const struct drawing *d, const struct language *l, const char *label)
{
    for (const char *at = label, *end; at; at = *end ? end + 1 : NULL) {
        end = at + strcspn(at, "\n");
        if (at != label)
            text_add(d->out, l->line_end);
        l->add_label(d->out, str_shown(d->arena, arena_strndup(d->arena, at, (size_t)(end - at))));
    }
}

static void draw(const struct drawing *d, const char *template, const char *id, const char *label, const char *other)
{
    const struct language *l = &languages[d->language];

    for (const char *s = template; *s; s++) {
        if (str_starts(s, "{i}"))
            l->add_id(d->out, str_shown(d->arena, id));
        else if (str_starts(s, "{l}"))
            add_lines(d, l, label);
        else if (str_starts(s, "{j}"))
            l->add_id(d->out, str_shown(d->arena, other));
        else
            text_add_char(d->out, *s);
        s += *s == '{' && s[1] && s[2] == '}' ? 2 : 0;
    }
}

void drawing_begin(struct drawing *d)
{
    text_add(d->out, languages[d->language].begin);
}

void drawing_end(struct drawing *d)
{
    text_add(d->out, languages[d->language].end);
}

void drawing_group(struct drawing *d, const char *id, const char *label)
{
    draw(d, languages[d->language].group, id, label, NULL);
}

void drawing_group_end(struct drawing *d)
{
    text_add(d->out, languages[d->language].group_end);
}

void drawing_box(struct drawing *d, const char *id, const char *label, bool gone)
{
    draw(d, gone ? languages[d->language].box_gone : languages[d->language].box, id, label, NULL);
}

void drawing_arrow(struct drawing *d, const char *from, const char *to, enum arrow arrow, const char *label)
{
    const struct language *l = &languages[d->language];

    draw(d, label ? l->arrow_labelled[arrow] : l->arrow[arrow], from, label, to);
}

/* --- documents and steps ------------------------------------------------------------------------------------------ */

static void draw_document(struct drawing *d, const struct document *doc, const struct plan *p)
{
    bool grouped = false;

    for (size_t i = 0; p && i < p->steps.count; i++)
        grouped = grouped || (p->steps.items[i]->document == doc && p->steps.items[i]->action != ACTION_NONE);
    if (grouped)
        drawing_group(d, doc->address, doc->address);
    drawing_box(d, doc->address, doc->address, false);
    for (size_t i = 0; p && i < p->steps.count; i++) {
        const struct step *step = p->steps.items[i];

        if (step->document == doc && step->action != ACTION_NONE)
            drawing_box(d, step->id, step_verb(step), false);
    }
    if (grouped)
        drawing_group_end(d);
}

static void draw_references(struct drawing *d, const struct document *doc, const struct desired *desired)
{
    for (size_t j = 0; j < doc->n_references; j++) {
        size_t k = 0;

        while (k < j && doc->references[k].target != doc->references[j].target)
            k++;
        if (doc->references[j].target && k == j && !desired_beside(desired, doc->references[j].target))
            drawing_arrow(d, doc->address, doc->references[j].target->address, ARROW_SOLID, NULL);
    }
}

void draw_estate(struct text *out, enum drawing_language language, const struct desired *desired, const struct plan *p)
{
    struct arena *a cleanup(arena_freep) = arena_new();
    struct drawing d = {.out = out, .arena = a, .language = language};

    drawing_begin(&d);
    for (size_t i = 0; i < desired->count; i++)
        if (!desired_beside(desired, desired->documents[i]))
            draw_document(&d, desired->documents[i], p);
    for (size_t i = 0; i < desired->count; i++)
        if (!desired_beside(desired, desired->documents[i]))
            draw_references(&d, desired->documents[i], desired);
    for (size_t i = 0; p && i < p->steps.count; i++)
        for (size_t j = 0; j < p->steps.items[i]->n_needs; j++)
            if (p->steps.items[i]->action != ACTION_NONE)
                drawing_arrow(&d, p->steps.items[i]->id, p->steps.items[i]->needs[j], ARROW_DASHED, NULL);
    drawing_end(&d);
}
