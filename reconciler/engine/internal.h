/* Shared by the two halves of the engine: looking (look.c) and acting (act.c). */
#ifndef REINSTATE_ENGINE_INTERNAL_H
#define REINSTATE_ENGINE_INTERNAL_H

#include "../base/text.h"
#include "engine.h"

const struct kind *engine_kind(const struct engine *e, const struct document *doc);
/* May suspend. Observes one document anew and replaces its facts. */
must_use int engine_observe(struct call *c, const struct engine *e, struct view *view, struct value **facts, const struct document *doc,
                            struct err *err);
/* Pure. All steps with their verdicts, into `a`; the view's steps and time are set to them. */
struct steps *engine_steps(const struct engine *e, struct arena *a, struct view *view, int64_t now_ms);

#endif
