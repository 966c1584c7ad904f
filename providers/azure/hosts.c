/* Knows which hosts are one, and which lie under a cloud's suffix. Must not know what is sent there. */
#include "internal.h"

#include <string.h>

#include "../../reconciler/base/text.h"

size_t url_host(const char *url, const char **ret)
{
    const char *host;
    size_t n;

    if (!str_starts_nocase(url, "https://"))
        return 0;
    host = url + 8;
    n = strcspn(host, "/?#\\");
    if (n >= HOST_MAX || memchr(host, '@', n))
        return 0;
    if (n > 4 && memcmp(host + n - 4, ":443", 4) == 0)
        n -= 4;
    *ret = host;
    return n;
}

bool url_same_host(const char *x, const char *y)
{
    const char *host_x, *host_y;
    size_t n = url_host(x, &host_x), m = url_host(y, &host_y);

    return n > 0 && n == m && strncasecmp(host_x, host_y, n) == 0;
}

bool url_under_suffix(const char *url, const char *suffix)
{
    const char *host;
    size_t n = url_host(url, &host), m = strlen(suffix);

    if (m > 4 && str_eq(suffix + m - 4, ":443"))
        m -= 4;
    return n > m && strncasecmp(host + n - m, suffix, m) == 0 && !memchr(host, '.', n - m);
}
