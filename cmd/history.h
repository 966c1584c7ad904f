/* --history: where earlier looks are remembered, in a file or in a blob. Every command reads it and adds to a file; a
 * blob is written only by commands that may write at all. */
#ifndef REINSTATE_CMD_HISTORY_H
#define REINSTATE_CMD_HISTORY_H

#include "../providers/azure/blob.h"
#include "session.h"

struct history {
    const char *name;           /* as the operator gave it */
    bool in_blob, read, grown;  /* grown: by records that are not kept yet */
    bool writing, told;         /* writing: this command may write a blob; told: the person knows that it may not */
    bool unreadable;            /* a blob that could not be read: then it is not written either */
    struct blob_place place;
    const char *etag;           /* of the blob as it was read; NULL: there was none */
    struct azure *azure;
    struct value *document;
};

/* With --history: a file is read now, a blob's URL is checked. A fault in it is told with its line, like any other. */
must_use int history_open(struct session *s, struct azure *azure, enum http_mode mode);
/* In a task, before a look. A blob that cannot be read is told of and left out: nothing depends on it. */
must_use int history_read(struct session *s, struct call *c, struct err *err);
/* After a look: takes what is new, and puts it into a file. */
void history_learn(struct session *s, const struct look *look);
/* Before a writing command ends (or goes on to its next pass): puts what is new into a blob. */
void history_keep(struct session *s);

#endif
