/* Refusals of Azure: which class, in whose words, with which advice. */
#include "harness.h"

#include "../../providers/azure/arm.h"
#include "../../providers/azure/internal.h"
#include "../../reconciler/format/json.h"

/* --- errors ------------------------------------------------------------------------------------------------------- */

static const struct azure_asked anyone = {.anyone = true};

static const struct {
    const char *reason;
    int status;
    const char *body;
    enum err_class class;
    const char *code, *says;
} errors[] = {
    {"absent", 404, "{\"error\":{\"code\":\"ResourceNotFound\",\"message\":\"gone\"}}", ERR_NOT_FOUND,
     "ResourceNotFound", "gone"},
    {"absent group", 404, "{\"error\":{\"code\":\"ResourceGroupNotFound\",\"message\":\"x\"}}", ERR_NOT_FOUND,
     "ResourceGroupNotFound", "resource group"},
    {"a wrong subscription is not an absent resource", 404,
     "{\"error\":{\"code\":\"SubscriptionNotFound\",\"message\":\"x\"}}", ERR_INVALID, "SubscriptionNotFound",
     "does not mean"},
    {"a wrong type is not an absent resource", 404, "{\"error\":{\"code\":\"InvalidResourceType\",\"message\":\"x\"}}",
     ERR_INVALID, "InvalidResourceType", "no such resource type"},
    {"who lacks what where", 403,
     "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client 'c' with object id '12f8' does not have "
     "authorization "
     "to perform action "
     "'Microsoft.Compute/disks/write' over scope '/subscriptions/s' or the scope is invalid.\"}}",
     ERR_DENIED, "AuthorizationFailed", "we lack Microsoft.Compute/disks/write at /subscriptions/s (object id 12f8)"},
    {"the inner code of Key Vault", 403,
     "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\",\"innererror\":{\"code\":\"ForbiddenByRbac\"}}}",
     ERR_DENIED, "ForbiddenByRbac", "role"},
    {"the firewall is no missing role, but still means unseen", 403,
     "{\"error\":{\"code\":\"Forbidden\",\"message\":\"no\",\"innererror\":{\"code\":\"ForbiddenByFirewall\"}}}",
     ERR_DENIED, "ForbiddenByFirewall", "firewall"},
    {"a taken name", 409,
     "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\",\"innererror\":{\"code\":\"ObjectIsDeletedButRecoverable\"}}"
     "}",
     ERR_CONFLICT, "ObjectIsDeletedButRecoverable", "recover it"},
    {"a foreign backup", 400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"Cannot decrypt backup blob.\"}}",
     ERR_INVALID, "BadParameter", "another subscription, geography"},
    {"another bad parameter", 400, "{\"error\":{\"code\":\"BadParameter\",\"message\":\"kty\"}}", ERR_INVALID,
     "BadParameter", "kty"},
    {"Graph's innerError has no code", 404,
     "{\"error\":{\"code\":\"Request_ResourceNotFound\",\"message\":\"m\",\"innerError\":{\"date\":\"d\",\"request-"
     "id\":\"r\"}}}",
     ERR_NOT_FOUND, "Request_ResourceNotFound", "m"},
    {"Entra's error is a text", 401,
     "{\"error\":\"invalid_client\",\"error_description\":\"AADSTS7000215: Invalid client secret provided.\\r\\nTrace "
     "ID: 1\","
     "\"error_codes\":[7000215]}",
     ERR_DENIED, "AADSTS7000215", "AZURE_CLIENT_SECRET"},
    {"storage's XML with a byte order mark", 403,
     "\xef\xbb\xbf<?xml version=\"1.0\" "
     "encoding=\"utf-8\"?><Error><Code>AuthorizationPermissionMismatch</Code><Message>This "
     "request\nis not</Message></Error>",
     ERR_DENIED, "AuthorizationPermissionMismatch", "Storage Blob Data Reader"},
    {"a managed HSM's bare word", 401, "OK", ERR_DENIED, "", "OK"},
    {"nothing at all", 503, "", ERR_TRANSIENT, "", "503"},
    {"throttled by the hour", 429,
     "{\"error\":{\"code\":\"ResourceRequestsThrottled\",\"message\":\"after '324' seconds\"}}", ERR_THROTTLED,
     "ResourceRequestsThrottled", "324"},
    {"an unknown code goes by its status, with the message", 400,
     "{\"error\":{\"code\":\"Strange\",\"message\":\"raw words\"}}", ERR_INVALID, "Strange", "raw words"},
    {"unknown 409", 409, "{\"error\":{\"code\":\"Strange\",\"message\":\"m\"}}", ERR_CONFLICT, "Strange", "m"},
    {"unknown 412", 412, "{\"error\":{\"code\":\"Strange\",\"message\":\"m\"}}", ERR_CONFLICT, "Strange", "m"},
    {"a 404 without Azure's words shows nothing absent", 404, "<html>not here</html>", ERR_PROTOCOL, "", "proxy"},
    {"an empty 404 neither", 404, "", ERR_PROTOCOL, "", "proxy"},
    {"unknown 500", 500, "<html>", ERR_TRANSIENT, "", "500"},
    {"a lock", 409, "{\"error\":{\"code\":\"ScopeLocked\",\"message\":\"m\"}}", ERR_BLOCKED, "ScopeLocked", "lock"},
    {"403 always reads as denied", 403, "{\"error\":{\"code\":\"KeyNotFound\",\"message\":\"m\"}}", ERR_DENIED,
     "KeyNotFound", "m"},
    {"a detail tells more than an unknown code", 400,
     "{\"error\":{\"code\":\"Outer\",\"message\":\"m\",\"details\":[{\"code\":\"UserErrorSkuNotAvailable\"}]}}",
     ERR_INVALID, "UserErrorSkuNotAvailable", "size"},
};

static void test_errors(void)
{
    for (size_t i = 0; i < COUNT(errors); i++) {
        struct arena *a = arena_new();
        struct err err = {0};
        int rc = azure_error_from(a, &anyone, errors[i].status, errors[i].body, strlen(errors[i].body), "read x", &err);

        CHECK_ROW(errors[i].reason, rc == -(int)errors[i].class && err.class == errors[i].class);
        CHECK_STR(err.code, errors[i].code);
        CHECK_ROW(errors[i].reason, strstr(err.text, errors[i].says) != NULL);
        CHECK_ROW(errors[i].reason, strncmp(err.text, "read x: ", 8) == 0 && !strchr(err.text, '\n'));
        CHECK_ROW(errors[i].reason, err.http_status == errors[i].status);
        arena_free(a);
    }
}

/* Answers break off anywhere, and hold anything: always an error, never one that means "absent" without saying what. */
static void test_broken_errors(void)
{
    for (size_t i = 0; i < COUNT(errors); i++)
        for (size_t n = 0; n < strlen(errors[i].body); n++) {
            struct arena *a = arena_new();
            struct err err = {0};
            char body[512];

            CHECK(n < sizeof(body));
            memcpy(body, errors[i].body, n);
            CHECK_ROW(errors[i].reason, azure_error_from(a, &anyone, errors[i].status, body, n, "read x", &err) < 0);
            CHECK_ROW(errors[i].reason, err.class != ERR_NOT_FOUND || err.code[0]);
            if (n > 0) {
                body[n / 2] = (char)(body[n / 2] ^ 0x55);
                CHECK_ROW(errors[i].reason,
                          azure_error_from(a, &anyone, errors[i].status, body, n, "read x", &err) < 0);
            }
            arena_free(a);
        }
}

static void test_error_table(void)
{
    for (size_t i = 0; i < azure_n_errors; i++) {
        const struct azure_error *e = &azure_errors[i];

        CHECK_ROW(e->code, e->cure < CURE_COUNT);
        CHECK_ROW(e->code, e->class > ERR_NONE && e->class < ERR_CLASS_COUNT);
        CHECK_ROW(e->code, *e->meaning && *e->action && *e->source);
        CHECK_ROW("each code stands once", azure_error_find(e->code) == e);
    }
    for (enum azure_cure c = 0; c < CURE_COUNT; c++)
        for (enum azure_cure other = 0; other <= c; other++)
            CHECK((azure_cure_letter(c) == azure_cure_letter(other)) == (c == other) && *azure_cure_words(c));
    CHECK(azure_error_find("keynotfound") != NULL);
    CHECK(azure_error_find(NULL) == NULL);
}

int main(void)
{
    test_errors();
    test_broken_errors();
    test_error_table();
    HARNESS_END();
}
