/* One run of the program as it was seen from outside, and the words of the wire that promises are stated in. */
#ifndef REINSTATE_TEST_SEEN_H
#define REINSTATE_TEST_SEEN_H

#include <string.h>

#include "../../reconciler/base/text.h"
#include "../../reconciler/format/json.h"
#include "../../reconciler/format/schema.h"

/* One run, as it was seen from outside. */
struct seen {
    struct arena *arena;
    const char *command;
    bool killed;
    int code;
    const struct value *exchanges, *journal; /* lists; of this run only */
    const struct value *before, *after;      /* the worlds */
    const struct value *documents;
    const struct schemas *schemas;
    const char *out, *texts[5];   /* texts: all that the run has written, NULL-terminated */
    size_t lens[5];               /* a text may hold a NUL */
    const struct value *triggers; /* ids of the jobs that the runs of this scenario have started so far */
};

/* --- words of the wire -------------------------------------------------------------------------------------------- */

static inline const char *sent_method(const struct value *exchange)
{
    return value_str_at(exchange, "method");
}

static inline const char *sent_url(const struct value *exchange)
{
    return value_str_at(exchange, "uri");
}

/* What cannot change Azure, by its documentation: reads, tokens, queries and checks that are sent as POST. */
static inline bool sent_to_read(const struct value *exchange)
{
    static const char *const questions[] = {"/oauth2/v2.0/token", "/Microsoft.ResourceGraph/resources",
                                            "/backupValidateOperation", "/backupTriggerValidateOperation"};
    const char *method = sent_method(exchange);

    if (str_eq(method, "GET") || str_eq(method, "HEAD"))
        return true;
    for (size_t i = 0; str_eq(method, "POST") && i < COUNT(questions); i++)
        if (str_find_nocase(sent_url(exchange), questions[i]))
            return true;
    return false;
}

static inline bool taken(const struct value *exchange)
{
    int64_t status = value_int_at(exchange, "status", 0);

    return status >= 200 && status < 300;
}

static inline bool of_key_store(const char *url)
{
    return str_find_nocase(url, ".vault.") || str_find_nocase(url, ".managedhsm.");
}

#endif
