/* Knows which copies of keys open where: of a key vault's in the same subscription and geography, of a managed HSM's
 * under the same security domain, of neither in the other. Must not read or write. */
#include "home.h"

#include "../../reconciler/base/text.h"

#define SOURCE_HSM "Microsoft Learn, Managed HSM backup and restore"
#define SOURCE_VAULT "Microsoft Learn, Key Vault backup"

int backup_fits(const struct document *key, const struct secret *backup, const char *from, struct err *err)
{
    enum backup_home home = vault_backup_home(backup);
    bool hsm = key_store_is_hsm(key);

    if (home == BACKUP_HOME_UNKNOWN) {
        err_set(err, ERR_BLOCKED, "%s is no key backup that is known here: neither a key vault's nor a managed HSM's",
                from);
        return err_advise(err, "nothing was restored; a person looks at what is there");
    }
    if ((home == BACKUP_HOME_HSM) == hsm)
        return 0;
    if (hsm) {
        err_set(err, ERR_BLOCKED,
                "%s comes from a key vault, and the declared store of the key is a managed HSM: it opens in no HSM",
                from);
        return err_advise(err, "declare a KeyVault in the same subscription and geography as the store of %s",
                          key->address);
    }
    err_set(err, ERR_BLOCKED,
            "%s comes from a managed HSM, and the declared store of the key is a key vault: it opens in no vault",
            from);
    return err_advise(err, "declare a ManagedHsm with the security domain of the old one as the store of %s",
                      key->address);
}

bool backup_refused_for_good(const struct err *err)
{
    static const char *const of_bytes[] = {"decrypt backup", "backup blob", "key backup"};
    bool told = false;

    for (size_t i = 0; i < COUNT(of_bytes); i++)
        told = told || str_find_nocase(err->text, of_bytes[i]);
    return told && err->http_status == 400 && err->code[0];
}

const char *backup_refusal_next(struct arena *a, const struct document *key, const char *text)
{
    if (!text || !str_find_nocase(text, "decrypt backup blob"))
        return NULL;
    if (key_store_is_hsm(key))
        return arena_printf(a,
                            "the managed HSM has another security domain than the HSM the copy was made in (" SOURCE_HSM
                            "): repeating "
                            "it cannot help; declare as the store of %s an HSM that was activated with the old "
                            "security domain, or have "
                            "people who hold that domain and a quorum of its keys make one",
                            key->address);
    return arena_printf(
        a,
        "the vault is in another subscription or geography than the one the copy was made in (" SOURCE_VAULT
        "): repeating it cannot help; declare as the store of %s a vault in the old subscription and geography",
        key->address);
}
