/* Knows what every transport shares: releasing a reply, finding a header, which host an address names. Must not know
 * how bytes travel. */
#include "wire.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

void wire_reply_release(struct wire_reply *r)
{
    secret_release(&r->body);
}

const char *wire_reply_header(const struct wire_reply *r, const char *name)
{
    for (size_t i = 0; i < r->n_headers; i++)
        if (str_eq_nocase(r->headers[i].name, name))
            return r->headers[i].value;
    return NULL;
}

void wire_free(struct wire *w)
{
    if (!w)
        return;
    w->free(w->self);
    free(w);
}

const char *wire_authorities(void)
{
    static const char *const files[] = {
        "/etc/ssl/certs/ca-certificates.crt",                /* Debian, Ubuntu, Alpine */
        "/etc/pki/tls/certs/ca-bundle.crt",                  /* Red Hat, Fedora, Azure Linux */
        "/etc/ssl/ca-bundle.pem",                            /* SUSE */
        "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem", /* newer Fedora */
    };

    for (size_t i = 0; i < COUNT(files); i++)
        if (access(files[i], R_OK) == 0)
            return files[i];
    return files[0];
}

const char *wire_authority(const char *url, size_t *ret_len)
{
    const char *host = strstr(url, "://");

    host = host ? host + 3 : url;
    *ret_len = strcspn(host, "/?#");
    return host;
}

bool wire_is_loopback(const char *url)
{
    static const char name[] = "localhost";
    size_t n, m = sizeof(name) - 1;
    const char *host = wire_authority(url, &n);

    if (str_starts(host, "[::1]"))
        return true;
    n = strcspn(host, ":/?#");
    if (n >= m && strncasecmp(host + n - m, name, m) == 0)
        return n == m || host[n - m - 1] == '.';
    return n == 9 && strncmp(host, "127.0.0.1", n) == 0;
}
