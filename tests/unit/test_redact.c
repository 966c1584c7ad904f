/* Recordings of Azure's exchanges hold no secret: each place that carries one is planted with a
 * mark and looked through. */
#include "../harness.h"

#include <unistd.h>

#include "../../providers/azure/redact.h"
#include "../../reconciler/base/text.h"

#define MARK "PLANTEDPLANTED"

static const struct {
    const char *reason, *method, *url, *type, *request, *answer;
    const char *kept;               /* must still be there */
    bool blob,
        secret_answer; /* the service calls the contents a blob's; the request says that its answer is a secret */
} rows[] = {
    {"a token", "POST", "https://login.microsoftonline.com/t/oauth2/v2.0/token", "application/x-www-form-urlencoded",
     "grant_type=client_credentials&client_id=c&client_secret=" MARK "&scope=s",
     "{\"token_type\":\"Bearer\",\"access_token\":\"" MARK "\"}", "Bearer", false, false},
    {"a key backup", "POST", "https://kv.vault.azure.net/keys/k/backup?api-version=7.6", "application/json", "",
     "{\"value\":\"" MARK "\"}", "value", false, false},
    {"a key to be restored", "POST", "https://kv.vault.azure.net/keys/restore?api-version=7.6", "application/json",
     "{\"value\":\"" MARK "\"}", "{\"key\":{\"kid\":\"https://kv/keys/k/1\"}}", "https://kv/keys/k/1", false, false},
    {"account keys", "POST", "https://management.azure.com/a/storageAccounts/st/listKeys?api-version=1",
     "application/json", "",
     "{\"keys\":[{\"keyName\":\"key1\",\"value\":\"" MARK "\"},{\"keyName\":\"key2\",\"value\":\"" MARK "\"}]}", "key2",
     false, false},
    {"an exported key", "GET", "https://st.blob.core.windows.net/vm-01/SecuredVmEncryptionInfo42.json",
     "application/json", "", "\xef\xbb\xbf{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"" MARK "\"}}",
     "SecuredVmEncryptionInfo42", false, false},
    {"an exported key of another name", "GET", "https://st.blob.core.windows.net/vm-01/disk-keys-42",
     "application/octet-stream", "", "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"" MARK "\"}}", "disk-keys-42",
     true, false},
    {"an answer that is a secret, and no service says so", "GET", "https://127.0.0.1:10000/st/vm-01/disk-keys-42",
     "application/json", "", "{\"OsDiskEncryptionDetails\":{\"KeyBackupData\":\"" MARK "\"}}", "disk-keys-42", false,
     true},
    {"a key backup put under another name", "PUT", "https://st.blob.core.windows.net/escrow/k1",
     "application/octet-stream", MARK, "", "k1", true, false},
    {"a token of a managed identity", "GET", "http://169.254.169.254/metadata/identity/oauth2/token?resource=r",
     "application/json", "", "{\"client_id\":\"c\",\"access_token\":\"" MARK "\",\"refresh_token\":\"" MARK "\"}",
     "client_id", false, false},
    {"a list of blobs, which holds none", "GET", "https://st.blob.core.windows.net/vm-01?restype=container&comp=list",
     "application/xml", "", "<Name>disk-keys-42</Name>", "<Name>disk-keys-42</Name>", false, false},
    {"a shared access URL in JSON", "GET", "https://management.azure.com/subscriptions/s/x?api-version=1",
     "application/json", "",
     "{\"value\":[],\"nextLink\":\"https://st.blob.core.windows.net/c?sv=1&sig=" MARK "&se=2\"}", "se=2", false, false},
    {"a shared access URL in XML", "GET", "https://st.blob.core.windows.net/vm-01?restype=container&comp=list",
     "application/xml", "", "<Url>https://st/c?sv=1&amp;sig=" MARK "</Url><Name>n</Name>", "<Name>n</Name>", false,
     false},
    {"a shared access URL in JSON that we send", "POST", "https://management.azure.com/subscriptions/s/x/restore",
     "application/json", "{\"uri\":\"https://st.blob.core.windows.net/c?sig=" MARK "\",\"kept\":1}", "{}", "kept",
     false, false},
    {"JSON that we put", "PUT", "https://st.blob.core.windows.net/history/h.json", "application/json", "{\"vms\":[]}",
     "", "vms", true, false},
};

static char *recorded(const char *path)
{
    FILE *f = fopen(path, "r");
    char *text = NULL;
    size_t room = 0;

    if (f) {
        if (getdelim(&text, &room, '\0', f) < 0) {
            free(text);
            text = NULL;
        }
        fclose(f);
    }
    return text;
}

static void record_row(size_t i, struct recorder *r)
{
    const struct wire_header sent[] = {
        {"Authorization", "Bearer " MARK}, {"Content-Type", rows[i].type}, {"x-ms-blob-type", "BlockBlob"}};
    struct wire_header got[] = {{"Content-Type", rows[i].blob ? rows[i].type : "application/json"},
                                {"x-ms-blob-type", "PageBlob"}};
    struct wire_request request = {
        .method = rows[i].method,
        .url = rows[i].url,
        .headers = sent,
        .n_headers = COUNT(sent) - !rows[i].blob,
        .body = rows[i].request,
        .body_len = strlen(rows[i].request),
        .secret_answer = rows[i].secret_answer,
    };
    struct wire_reply reply = {.status = 200, .headers = got, .n_headers = COUNT(got) - !rows[i].blob};

    secret_set(&reply.body, rows[i].answer, strlen(rows[i].answer));
    recorder_add(r, &request, &reply);
    secret_release(&reply.body);
}

int main(void)
{
    for (size_t i = 0; i < COUNT(rows); i++) {
        char path[] = "/tmp/reinstate-redact-XXXXXX", *text;
        struct recorder *r = NULL;
        struct err err = {0};
        int fd = mkstemp(path);

        CHECK(fd >= 0);
        close(fd);
        CHECK_ROW(rows[i].reason, recorder_open(path, azure_record_rules, azure_n_record_rules, &r, &err) == 0);
        record_row(i, r);
        CHECK_ROW(rows[i].reason, recorder_error(r, &err) == 0);
        recorder_close(r);
        text = recorded(path);
        CHECK_ROW(rows[i].reason, text && strstr(text, rows[i].kept));
        CHECK_ROW(rows[i].reason, text && !strstr(text, MARK));
        free(text);
        unlink(path);
    }
    HARNESS_END();
}
