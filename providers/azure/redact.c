/* Knows where Azure's messages carry secrets. Each placeholder has the shape of what it stands for, so that a recording
 * still satisfies the published schemas. Must not be the only guard: a new call with a secret needs a row here. */
#include "redact.h"

#define BASE64URL "cmVjb3JkZWQtd2l0aG91dC10aGUtc2VjcmV0"
#define ACCOUNT_KEY "cmVjb3JkZWQgd2l0aG91dCB0aGUgc2VjcmV0IGtleSBvZiB0aGUgc3RvcmFnZSBhY2NvdW50IGFzIGl0IHdhcyBzZW50Lg=="
#define TOKEN "recorded.without-the.token"

const struct record_rule azure_record_rules[] = {
    {"POST", "/oauth2/v2.0/token", false, "access_token", TOKEN, NULL, false},
    {"POST", "/oauth2/token", false, "access_token", TOKEN, NULL, false},
    /* Tokens of jobs and pods; what the simulated issuers hand out as a whole is one. */
    {"POST", "/oidctoken", false, "oidcToken", TOKEN, NULL, false},
    {"GET", "/github/token", false, "value", TOKEN, NULL, false},
    {"GET", "/kubernetes/token", false, "", "a token, not recorded", NULL, false},
    {"POST", "/keys/*/backup", false, "value", BASE64URL, NULL, false},
    {"POST", "/keys/restore", true, "value", BASE64URL, NULL, false},
    {"POST", "/listKeys", false, "keys.*.value", ACCOUNT_KEY, NULL, false},
    /* Azure names an export as it likes, and says of each blob's contents that they are one.
     * What we put as text, a history or a claim, holds none. */
    {NULL, "", false, "", "the contents of a blob, not recorded", "x-ms-blob-type", false},
    {NULL, "", true, "", "the contents of a blob, not recorded", "x-ms-blob-type", true},
    {NULL, "/securedvmencryptioninfo*", false, "", "an exported key, not recorded", NULL, false},
    {NULL, "/securedvmencryptioninfo*", true, "", "an exported key, not recorded", NULL, false},
    {NULL, ".keybackup", false, "", "a key backup, not recorded", NULL, false},
    {NULL, ".keybackup", true, "", "a key backup, not recorded", NULL, false},
};
const size_t azure_n_record_rules = COUNT(azure_record_rules);
