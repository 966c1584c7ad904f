/* Knows how long Azure Backup keeps the copy of a key that it has exported (behaviour.exportKept). Must not know how it
 * comes to be. */
#include "data.h"

void export_forget_due(struct sim *s, struct value *own, const struct value *job)
{
    const char *where = value_str_at(own, "exported");
    int64_t end;

    if (!where || knob_is(s, "exportKept", "for-ever"))
        return;
    end = time_parse(value_str_at(job, "properties.endTime"));
    if (end == TIME_NONE)
        return;
    end += behaviour_ms(s, "exportKept", 0);
    if (end > s->now_ms) {
        state_due(&s->jobs_due_ms, end);
        return;
    }
    blob_forget(s, where);
    value_remove(own, "exported");
    state_changed(s);
}
