/* What doctor has found, for people: as text, and as Markdown for a ticket. */
#ifndef REINSTATE_DOCTOR_SHOW_H
#define REINSTATE_DOCTOR_SHOW_H

#include "../reconciler/model/page.h"

/* Pure. Of the answer that schemas/doctor.json describes. */
void doctor_show(const struct page *p, const struct value *answer);
void doctor_markdown(struct text *out, const struct value *answer);

#endif
