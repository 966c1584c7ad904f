/* Boxes and arrows as DOT or Mermaid: valid for any names, the same text for the same drawing. Pure. */
#ifndef REINSTATE_DRAWING_H
#define REINSTATE_DRAWING_H

#include "../base/text.h"
#include "plan.h"

enum drawing_language { DRAWING_DOT, DRAWING_MERMAID };

struct drawing {
    struct text *out;
    struct arena *arena;
    enum drawing_language language;
};

enum arrow { ARROW_SOLID, ARROW_DASHED };

void drawing_begin(struct drawing *d);
void drawing_end(struct drawing *d);
/* Boxes until the end of the group are drawn within it. */
void drawing_group(struct drawing *d, const char *id, const char *label);
void drawing_group_end(struct drawing *d);
/* Lines of the label are parted by line ends. `gone`: drawn dashed. */
void drawing_box(struct drawing *d, const char *id, const char *label, bool gone);
void drawing_arrow(struct drawing *d, const char *from, const char *to, enum arrow arrow,
                   const char *label /* or NULL */);

/* Documents (references) and, with a plan, its steps (needs), grouped by document. */
void draw_estate(struct text *out, enum drawing_language language, const struct desired *desired, const struct plan *p);

#endif
