/* Conclusions: what a look makes of each document, once. Steps, forecast, impact, runbook, activate, drift and the last
 * lines of a run read them, so that none of them can judge a document differently from the others. Pure.
 *
 * They are made bottom-up: the kinds add the steps of one document after the other, lower ones first, and each document
 * is concluded before the next is asked. What a step relies on is held against what was concluded (conclude_hold): a
 * step on a document that is blocked is blocked itself, so that nothing is granted on, built on or restored with a
 * thing that is not as declared, nor with one that is suspended, which is left alone whole. A step that serves
 * documents which cannot be done is blocked as well, so that nothing is triggered in vain. */
#ifndef REINSTATE_CONCLUSION_H
#define REINSTATE_CONCLUSION_H

#include "step.h"

enum prospect {
    PROSPECT_SATISFIED,   /* as declared now */
    PROSPECT_PENDING,     /* will be, once its steps are done */
    PROSPECT_BLOCKED      /* will not be without somebody else */
};
const char *prospect_name(enum prospect p);       /* "satisfied", "pending", "blocked" */

struct conclusion {
    enum prospect verdict;
    const struct step *block; /* PROSPECT_BLOCKED: the step that says why; never one that stands aside */
    const void *own;                              /* what the kind concluded for itself (kind.h, conclude); NULL */
};

struct concluding {
    struct steps *steps;
    struct conclusion *all;                       /* by document index */
    /* A document relies on what this reference of it names; false: it only mentions it. */
    bool (*relies)(const void *ctx, const struct document *doc, const struct reference *ref);
    const void *ctx;
};

/* A step that is due: it changes the world or waits for it. */
bool step_pends(const struct step *step);
/* Sets the verdict of `doc` from its steps, those from index `from` on. */
void conclude_document(const struct concluding *c, const struct document *doc, size_t from);
/* Blocks the steps from index `from` on that rely on a blocked document or need a blocked step. true: there was one. */
bool conclude_hold(const struct concluding *c, size_t from);
/* Where steps are made only when they are asked for: asks for all that the steps rest on and serve. */
void conclude_ask(const struct concluding *c);
/* Blocks the steps that serve nothing that can be done, and whatever hangs on them; concludes the documents of all
 * steps anew. Called when all steps are there, and again when policy has judged them: what it withholds cannot be done
 * either. */
void conclude_vain(const struct concluding *c);

#endif
