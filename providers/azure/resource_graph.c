/* Knows how Resource Graph is asked and how its pages go on. Must not know what is looked for. */
#include "resource_graph.h"

#include <string.h>

#include "../../reconciler/base/text.h"
#include "internal.h"

#define QUERIES "/providers/Microsoft.ResourceGraph/resources"

/* What is left out of an answer is not absent in Azure. */
static int check_page(const struct value *body, size_t page, struct err *err)
{
    const struct value *data = value_get(body, "data");
    const char *token = value_str_at(body, "$skipToken");
    bool whole = value_is(data, VALUE_LIST);

    for (size_t i = 0; whole && i < value_count(data); i++)
        whole = value_is(value_item(data, i), VALUE_MAP);
    if (!whole)
        return azure_odd(NULL, err, "the answer of Resource Graph: page %zu is no list of objects", page);
    if ((!token || !*token) && value_bool_at(body, "resultTruncated", false))
        return err_set(err, ERR_PROTOCOL, "the answer of Resource Graph is cut short after page %zu, and names no next",
                       page);
    return 0;
}

static int ask_page(struct azure *az, struct call *c, struct arena *a, const struct value *body, size_t page,
                    struct arm_operation *ret, struct err *err)
{
    const struct arm_sending query = {
        .method = HTTP_POST, .path = QUERIES, .api = API_RESOURCE_GRAPH, .body = body, .repeat = ARM_REPEATABLE};
    struct http_again again = {0};
    int rc;

    do {
        rc = arm_send(az, c, a, &query, ret, err);
        if (rc == 0)
            rc = check_page(ret->body, page, err);
    } while (rc < 0 && azure_ask_again(az, c, &again, err));
    return rc < 0 ? -(int)err->class : 0;
}

int resource_graph_query(struct azure *az, struct call *c, struct arena *a, const char *query, struct value **ret,
                         struct err *err)
{
    struct value *rows = value_list(a);
    const char *token = NULL;
    size_t bytes = 0;

    for (size_t page = 1;; page++) {
        struct value *body = value_map(a), *options = value_map(a);
        const struct value *data;
        struct arm_operation op;

        value_set_string(a, body, "query", query);
        value_set_string(a, options, "resultFormat", "objectArray");
        value_set_string(a, options, "$skipToken", token);
        value_set(a, body, "options", options);
        TRY(azure_list_ceiling("the answer of Resource Graph", page, bytes, err));
        TRY(ask_page(az, c, a, body, page, &op, err));
        bytes += op.bytes;
        data = value_get(op.body, "data");
        for (size_t i = 0; i < value_count(data); i++)
            value_push(a, rows, value_item(data, i));
        if (token && str_eq(token, value_str_at(op.body, "$skipToken")))
            return err_set(err, ERR_PROTOCOL, "the answer of Resource Graph: page %zu names itself as the next one",
                           page);
        token = value_str_at(op.body, "$skipToken");
        /* An answer that counts more than it holds is cut: what it lacks is not gone. */
        if ((!token || !*token) && value_int_at(op.body, "totalRecords", 0) > (int64_t)value_count(rows))
            return err_set(err, ERR_PROTOCOL, "the answer of Resource Graph holds %zu of %lld rows, and no next page",
                           value_count(rows), (long long)value_int_at(op.body, "totalRecords", 0));
        if (!token || !*token) {
            *ret = rows;
            return 0;
        }
    }
}

char *resource_graph_quote(struct arena *a, const char *text)
{
    return !text || strpbrk(text, "'\"\\\r\n") ? NULL : arena_printf(a, "'%s'", text);
}
