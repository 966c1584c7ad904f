/* Many single reads in one list: all machines of a subscription cost some pages instead of a read each, and the limits
 * count reads. A list takes the place of single reads only while a look lasts that has told beforehand what it will ask
 * for, and only where it costs less; before a write each thing is read from the service that owns it.
 *
 * A list shows what the caller may read and leaves out the rest without a word. So what it lacks is read by itself,
 * unless the caller's own permissions say that he sees all of its group: then it is absent. A list that is refused, or
 * an item that lacks what the single read has, leads to the single read as well. */
#ifndef REINSTATE_AZURE_BULK_H
#define REINSTATE_AZURE_BULK_H

#include "arm.h"

/* A look begins, with nothing expected; it will read the resource of that id (NULL: nothing); it is over. */
void bulk_begin(struct azure *az);
void bulk_expect(struct azure *az, const char *id);
void bulk_end(struct azure *az);
/* The look will read who has which role at that scope (NULL: at none). */
void bulk_expect_assignments(struct azure *az, const char *scope);

/* May suspend. As arm_get_shared: a resource by its id, from a list where that is cheaper. */
must_use int bulk_get(struct azure *az, struct call *c, struct arena *a, const struct arm_wanted *wanted,
                      const struct value **ret, struct err *err);
/* May suspend. The instance view of a machine, from the list of all machines' states where that is cheaper. */
must_use int bulk_instance_view(struct azure *az, struct call *c, struct arena *a, const char *vm_id, int64_t since_ms,
                                const struct value **ret, struct err *err);

/* May suspend. The role assignments at a scope and above it, out of those of its whole subscription where that is
 * cheaper; NULL: they are to be read at the scope. What they lack is looked for there before anybody calls it
 * missing. */
must_use int bulk_assignments(struct azure *az, struct call *c, struct arena *a, const char *scope, struct value **ret,
                              struct err *err);

/* Pure. What the look that ended last has read how: a list of {subscription, type, wanted, way: "list" | "single",
 * refused, pages, single}. */
struct value *bulk_told(const struct azure *az, struct arena *a);

#endif
