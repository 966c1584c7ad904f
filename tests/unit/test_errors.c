/* The catalogue of refusals: every row of it is reached by the answer it is meant for, with the service's own words
 * beside ours, and the refusals that name their true cause are told by that cause. */
#include <stdio.h>
#include <string.h>

#include "../../providers/azure/arm.h"
#include "../../providers/azure/internal.h"
#include "../../reconciler/base/text.h"
#include "harness.h"

#define WORDS "Words of the service, number 4711"

static const struct azure_asked anyone = {.anyone = true};

/* A status under which such an answer comes. */
static int status_of(const struct azure_error *row)
{
    switch (row->class) {
    case ERR_NOT_FOUND:
        return 404;
    case ERR_DENIED:
        return 403;
    case ERR_CONFLICT:
        return 409;
    case ERR_THROTTLED:
        return 429;
    case ERR_TRANSIENT:
        return 503;
    default:
        return 400;
    }
}

static void test_every_row(void)
{
    static const char mark[] = "text: ";

    for (size_t i = 0; i < azure_n_errors; i++) {
        const struct azure_error *row = &azure_errors[i];
        struct arena *a = arena_new();
        bool by_text = str_starts(row->code, mark);
        const char *message = by_text ? arena_printf(a, "Begin %s. " WORDS, row->code + sizeof(mark) - 1) : WORDS;
        const char *body = arena_printf(a, "{\"error\":{\"code\":\"%s\",\"message\":\"%s\"}}",
                                        by_text ? "SomeGeneralCode" : row->code, message);
        struct err err = {0};

        CHECK_ROW(row->code, azure_error_from(a, &anyone, status_of(row), body, strlen(body), "read x", &err) < 0);
        CHECK_ROW(row->code, err.class == row->class);
        CHECK_ROW(row->code,
                  strstr(err.text, row->meaning) && strstr(err.text, row->action) && strstr(err.text, WORDS));
        CHECK_ROW(row->code, by_text || str_eq(err.code, row->code));
        arena_free(a);
    }
}

/* Who wrote the words: Azure's documents and public reports, retold; names are made up. */
static const struct {
    const char *reason;
    int status;
    const char *body;
    enum err_class class;
    const char *says, *never;
} refusals[] = {
    {"the action that lacks is the one at the linked scope", 403,
     "{\"error\":{\"code\":\"LinkedAuthorizationFailed\",\"message\":\"The client 'c' with object id 'o-1' has "
     "permission to perform "
     "action "
     "'Microsoft.Compute/virtualMachines/write' on scope '/s/vm'; however, it does not have permission to perform "
     "action(s) "
     "'Microsoft.Network/virtualNetworks/subnets/join/action' on the linked scope(s) '/s/subnet' (respectively).\"}}",
     ERR_DENIED, "we lack Microsoft.Network/virtualNetworks/subnets/join/action at /s/subnet",
     "we lack Microsoft.Compute"},
    {"another tenant's linked resource is no missing role", 403,
     "{\"error\":{\"code\":\"LinkedAuthorizationFailed\",\"message\":\"The client has permission to perform action "
     "'x/write' on scope "
     "'/s'; "
     "however the current tenant 't-1' is not authorized to access linked subscription 's-2'.\"}}",
     ERR_DENIED, "no role is missing", "ask its owner for a role"},
    {"a deny assignment by its name", 403,
     "{\"error\":{\"code\":\"DenyAssignmentAuthorizationFailed\",\"message\":\"The client has permission to perform "
     "action 'x/write' on "
     "scope "
     "'/s'; however, the access is denied because of the deny assignment with name 'managed by the platform' and Id "
     "'d1' at scope "
     "'/s/g'.\"}}",
     ERR_DENIED, "the deny assignment \"managed by the platform\" at /s/g forbids this",
     "ask an owner of the scope for "
     "a role"},
    {"a right under a condition", 403,
     "{\"error\":{\"code\":\"AuthorizationFailed\",\"message\":\"The client 'c' with object id 'o-1' does not have "
     "authorization to "
     "perform "
     "action 'Microsoft.Authorization/roleAssignments/write' over scope '/s' or the scope is invalid: there is an ABAC "
     "condition that is "
     "not fulfilled.\"}}",
     ERR_DENIED, "a condition on our right Microsoft.Authorization/roleAssignments/write forbids this", NULL},
    {"a policy by assignment and definition", 403,
     "{\"error\":{\"code\":\"RequestDisallowedByPolicy\",\"message\":\"Resource 'vm' was disallowed by "
     "policy.\",\"additionalInfo\":[{\"type\":"
     "\"PolicyViolation\",\"info\":{\"policyAssignmentName\":\"a1\",\"policyAssignmentDisplayName\":\"Only our "
     "regions\","
     "\"policyAssignmentScope\":\"/subscriptions/s\",\"policyDefinitionDisplayName\":\"Allowed locations\"}}]}}",
     ERR_BLOCKED,
     "the policy assignment \"Only our regions\" at /subscriptions/s denies this, by its definition \"Allowed "
     "locations\"",
     NULL},
    {"a lock, with the scope that is locked", 409,
     "{\"error\":{\"code\":\"ScopeLocked\",\"message\":\"The scope '/s/vm' cannot perform write operation because "
     "following scope(s) are "
     "locked: '/s/g'. Please remove the lock and try again.\"}}",
     ERR_BLOCKED, "locked: '/s/g'", "role"},
    {"a firewall, whose remedy is a network", 403,
     "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Client address is not authorized and caller is not a trusted "
     "service.\",\"innererror\":"
     "{\"code\":\"ForbiddenByFirewall\"}}}",
     ERR_DENIED, "403 Forbidden > ForbiddenByFirewall: ", "assign us"},
    {"a private link, whose remedy is a network", 403,
     "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Public network access is disabled.\",\"innererror\":{\"code\":"
     "\"ForbiddenByConnection\"}}}",
     ERR_DENIED, "private endpoint", "assign us"},
    {"a perimeter, whose remedy is a rule of it", 403,
     "{\"error\":{\"code\":\"Forbidden\",\"message\":\"Access is denied by the "
     "perimeter.\",\"innererror\":{\"code\":\"ForbiddenByNsp\"}}}",
     ERR_DENIED, "perimeter", "assign us"},
    {"a disabled subscription", 409,
     "{\"error\":{\"code\":\"ReadOnlyDisabledSubscription\",\"message\":\"The subscription 's' is disabled and "
     "therefore marked as read "
     "only.\"}}",
     ERR_BLOCKED, "no role helps", NULL},
    {"a provider that nobody registered", 409,
     "{\"error\":{\"code\":\"MissingSubscriptionRegistration\",\"message\":\"The subscription is not registered to use "
     "namespace "
     "'Microsoft.KeyVault'.\"}}",
     ERR_BLOCKED, "'Microsoft.KeyVault'", "absent"},
    {"codes inside codes", 409,
     "{\"error\":{\"code\":\"Conflict\",\"message\":\"m\","
     "\"details\":[{\"code\":\"Outer\",\"message\":\"n\",\"innererror\":{\"code\":\"Deep\","
     "\"innererror\":{\"code\":\"Deeper\"}}}]}}",
     ERR_CONFLICT, "Conflict > Outer > Deep > Deeper", NULL},
    {"a code that nobody has described keeps its words", 400,
     "{\"error\":{\"code\":\"BrandNew\",\"message\":\"Read me.\"}}", ERR_INVALID, "400 BrandNew: Read me", NULL},
    {"depth without end", 400,
     "{\"error\":{\"code\":\"A\","
     "\"innererror\":{\"code\":\"B\",\"innererror\":{\"code\":\"C\",\"innererror\":{\"code\":\"D\",\"innererror\":"
     "{\"code\":\"E\",\"innererror\":{\"code\":\"F\",\"innererror\":{\"code\":\"G\"}}}}}}}}",
     ERR_INVALID, "A > B > C > D > E > F", "> G"},
};

static void test_refusals(void)
{
    for (size_t i = 0; i < COUNT(refusals); i++) {
        struct arena *a = arena_new();
        struct err err = {0};

        CHECK_ROW(refusals[i].reason, azure_error_from(a, &anyone, refusals[i].status, refusals[i].body,
                                                       strlen(refusals[i].body), "read x", &err) < 0);
        CHECK_ROW(refusals[i].reason, err.class == refusals[i].class);
        CHECK_ROW(err.text, strstr(err.text, refusals[i].says) != NULL);
        CHECK_ROW(err.text, !refusals[i].never || !strstr(err.text, refusals[i].never));
        arena_free(a);
    }
}

/* "There is no such thing" is said by the service that was asked, in its own code; from anybody else it is a failed
 * read, since what is taken for absent is made anew. */
static void test_absent(void)
{
#define PLACE "https://management.azure.com/subscriptions/s/resourceGroups/g/providers/"
    static const struct {
        const char *code;
        enum audience audience;
        const char *url;
        int status;
        enum err_class class;
    } rows[] = {
        {"ResourceNotFound", AUDIENCE_ARM, PLACE "Microsoft.Compute/diskEncryptionSets/d?api-version=1", 404,
         ERR_NOT_FOUND},
        {"KeyNotFound", AUDIENCE_ARM, PLACE "Microsoft.Compute/diskEncryptionSets/d?api-version=1", 404, ERR_PROTOCOL},
        {"VaultNotFound", AUDIENCE_ARM, PLACE "Microsoft.Compute/diskEncryptionSets/d", 404, ERR_PROTOCOL},
        {"BlobNotFound", AUDIENCE_ARM, PLACE "Microsoft.KeyVault/vaults/kv", 404, ERR_PROTOCOL},
        {"VaultNotFound", AUDIENCE_ARM, PLACE "Microsoft.KeyVault/vaults/kv", 404, ERR_NOT_FOUND},
        {"RoleAssignmentNotFound", AUDIENCE_ARM, PLACE "Microsoft.KeyVault/vaults/kv", 404, ERR_PROTOCOL},
        {"VaultNotFound", AUDIENCE_ARM,
         PLACE "Microsoft.KeyVault/vaults/kv/providers/Microsoft.Authorization/roleAssignments/r", 404, ERR_PROTOCOL},
        {"RoleAssignmentNotFound", AUDIENCE_ARM,
         PLACE "Microsoft.KeyVault/vaults/kv/providers/Microsoft.Authorization/roleAssignments/r", 404, ERR_NOT_FOUND},
        {"BMSUserErrorObjectNotFound", AUDIENCE_ARM, PLACE "Microsoft.RecoveryServices/vaults/v/x/y", 404,
         ERR_NOT_FOUND},
        {"OperationNotFound", AUDIENCE_ARM, PLACE "Microsoft.Compute/diskEncryptionSets/d", 404, ERR_PROTOCOL},
        {"KeyNotFound", AUDIENCE_VAULT, "https://kv.vault.azure.net/keys/k", 404, ERR_NOT_FOUND},
        {"ResourceGroupNotFound", AUDIENCE_VAULT, "https://kv.vault.azure.net/keys/k", 404, ERR_PROTOCOL},
        {"BlobNotFound", AUDIENCE_STORAGE, "https://a.blob.core.windows.net/c/b", 404, ERR_NOT_FOUND},
        {"KeyNotFound", AUDIENCE_STORAGE, "https://a.blob.core.windows.net/keys/b", 404, ERR_PROTOCOL},
        {"Request_ResourceNotFound", AUDIENCE_GRAPH, "https://graph.microsoft.com/v1.0/x", 404, ERR_NOT_FOUND},
        {"ResourceNotFound", AUDIENCE_ARM, PLACE "Microsoft.Compute/diskEncryptionSets/d", 500, ERR_TRANSIENT},
        {"ResourceNotFound", AUDIENCE_ARM, PLACE "Microsoft.Compute/diskEncryptionSets/d", 403, ERR_DENIED},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct arena *a = arena_new();
        const struct azure_asked asked = {.audience = rows[i].audience, .url = rows[i].url};
        const char *body = arena_printf(a, "{\"error\":{\"code\":\"%s\",\"message\":\"m\"}}", rows[i].code);
        struct err err = {0};

        CHECK_ROW(rows[i].code, azure_error_from(a, &asked, rows[i].status, body, strlen(body), "read x", &err) < 0);
        CHECK_ROW(rows[i].url, err.class == rows[i].class);
        CHECK_ROW(err.text, rows[i].class != ERR_PROTOCOL || strstr(err.text, "not taken for \"absent\""));
        CHECK_STR(err.code, rows[i].code);
        arena_free(a);
    }
}

int main(void)
{
    test_absent();
    test_every_row();
    test_refusals();
    HARNESS_END();
}
