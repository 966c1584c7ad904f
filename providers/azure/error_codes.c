/* Knows what Azure's error codes mean for a recovery: one table of code, error, class, meaning, next step and source
 * with its date. Where a service gives no code of its own, the words of its message stand for one ("text: …"). Pure
 * data; how answers are read is in errors.c and backup.c. */
#include <string.h>

#include "../../reconciler/base/text.h"
#include "arm.h"

#define SEED "Microsoft Learn, Restore Confidential VM, 2026-02-03"
#define PREVIEW "Azure Backup private preview, May 2023"
#define SCRIPTS "Azure Backup support scripts, March 2026"
#define VMTROUBLE "Microsoft Learn, troubleshoot Azure VM backup, undated"
#define ADETROUBLE "Microsoft Learn, troubleshoot encrypted Azure VM backup, undated"
#define KEYVAULT "Microsoft Learn, Key Vault REST API error codes, August 2026"
#define RBAC "Microsoft Learn, troubleshoot Azure RBAC, undated"
#define ARM_DOCS "Microsoft Learn, common Azure deployment errors, undated"
#define LIMITS "Microsoft Learn, Resource Manager throttling, undated"
#define RECORDED "recorded exchange, 2020 to 2026"
#define FIELD "field reports, not official documentation, undated"
#define ENTRA "Microsoft Learn, Microsoft Entra authentication error codes, undated"
#define GUARD "Microsoft Learn, multi-user authorization, undated"
#define STORAGE "Microsoft Learn, Blob service error codes, undated"

const struct azure_error azure_errors[] = {
    /* Restoring confidential VMs: mostly seen in jobs. */
    {"UserErrorDiskEncryptionSetDoesNotExist", ERR_BLOCKED, CURE_SET,
     "the disk encryption set the restore needs is gone",
     "make one on the original key and name it in the restore; with a snapshot-only recovery point choose another "
     "point",
     SEED},
    {"UserErrorDiskEncryptionSetKeyDoesNotExist", ERR_BLOCKED, CURE_KEY,
     "the key behind the disk encryption set cannot be reached as it was backed up",
     "recover, enable or restore the key, then restore again", SEED "; " PREVIEW},
    {"UserErrorInputDESKeyDoesNotMatchWithOriginalKey", ERR_BLOCKED, CURE_KEY,
     "the given disk encryption set points to another key or key version than the backup's",
     "give a set on the original key version, restoring that key first if it is gone", SEED "; " PREVIEW},
    {"UserErrorRestoreNotSupportedFromSnapshotTierRPForDifferentDES", ERR_INVALID, CURE_REQUEST,
     "a snapshot-only recovery point can only use the original disk encryption set",
     "choose a recovery point with a vault tier, or send no set", SEED "; " PREVIEW},
    {"UserErrorKeyVaultPermissionsNotConfiguredForCVMWithCMK", ERR_DENIED, CURE_PERMISSION,
     "the Backup Management Service may not use the key's vault",
     "grant it get, list and backup on keys, wait for the grant to act, then try again", PREVIEW "; " SCRIPTS},
    {"UserErrorKeyVaultPermissionsNotConfigured", ERR_DENIED, CURE_PERMISSION,
     "the Backup Management Service may not read the vault of a VM with Azure Disk Encryption",
     "grant it access to keys and secrets of that vault", ADETROUBLE},
    {"KeyVaultAccessForbidden", ERR_DENIED, CURE_PERMISSION,
     "the disk encryption set's identity may not use its key, or the Confidential VM Orchestrator may not release it, "
     "or "
     "the vault's firewall keeps one of them out",
     "grant the identity get, wrapKey and unwrapKey and the orchestrator release (reinstate forecast names who lacks "
     "what), let trusted services through the firewall, wait, then try again",
     FIELD},
    {"text: release policy", ERR_BLOCKED, CURE_PERSON,
     "the key has no release policy, or one that lets it be released elsewhere only",
     "look at the key's release policy; one that is missing cannot be added: then restore the right key", FIELD},
    {"text: virtual machine did not start", ERR_DENIED, CURE_PERMISSION,
     "the disks are there, but the key was not released to the guest",
     "check that the Confidential VM Orchestrator may release the key, and that the key is enabled; then start the VM",
     FIELD},

    /* Key Vault. */
    {"KeyNotFound", ERR_NOT_FOUND, CURE_KEY, "the vault has no such key or key version",
     "look among the deleted keys: a soft-deleted key can be recovered", KEYVAULT},
    {"VaultNotFound", ERR_NOT_FOUND, CURE_KEY, "there is no such vault",
     "look among the deleted vaults: a soft-deleted vault can be recovered", KEYVAULT},
    {"ObjectIsDeletedButRecoverable", ERR_CONFLICT, CURE_KEY, "a soft-deleted key holds this name",
     "recover it instead of creating or restoring one", RECORDED},
    {"ObjectIsBeingDeleted", ERR_CONFLICT, CURE_WAIT, "a key of this name is being deleted at the moment",
     "wait until it is deleted, then recover it", RECORDED},
    {"ObjectIsBeingRecovered", ERR_CONFLICT, CURE_WAIT, "the key is being recovered at the moment",
     "wait some seconds and look again", KEYVAULT},
    {"RequestNotAllowedOnNonDeletedObject", ERR_CONFLICT, CURE_WAIT,
     "the key is not deleted, so there is nothing to recover", "read the key", RECORDED},
    {"text: decrypt backup blob", ERR_INVALID, CURE_REQUEST,
     "this vault cannot open the key backup: it was made in another subscription, geography or security domain",
     "choose a vault in the subscription and geography of the original one; repeating does not help", KEYVAULT},
    {"BadParameter", ERR_INVALID, CURE_REQUEST, "the key vault refuses a parameter of the request",
     "compare the request with the message", KEYVAULT},
    {"ForbiddenByFirewall", ERR_DENIED, CURE_ENVIRONMENT,
     "the vault's firewall does not let this address in; this is no missing role",
     "run from an allowed network, add this address to the vault's firewall, or come through a private endpoint of the "
     "vault",
     KEYVAULT},
    {"ForbiddenByConnection", ERR_DENIED, CURE_ENVIRONMENT,
     "the vault takes requests over private links only; this is no missing role",
     "run from a network with a private endpoint of the vault", KEYVAULT},
    {"ForbiddenByNsp", ERR_DENIED, CURE_ENVIRONMENT,
     "a network security perimeter keeps this request out of the vault; this is no missing role",
     "run from a network that the perimeter's inbound access rules admit, or have whoever manages the perimeter admit "
     "this one",
     KEYVAULT},
    {"ForbiddenByPolicy", ERR_DENIED, CURE_PERMISSION,
     "a policy forbids this: the vault's access policies, or Azure Policy where roles rule the vault",
     "where access policies rule, add one for us and wait some minutes; else whoever manages Azure Policy looks",
     KEYVAULT},
    {"AccessDenied", ERR_DENIED, CURE_PERMISSION, "the vault's access policies do not let us do this",
     "add an access policy for us, then wait some minutes", KEYVAULT},
    {"ForbiddenByRbac", ERR_DENIED, CURE_PERMISSION, "we hold no role on the vault that allows this",
     "assign us a role with this action at the vault or key, then wait some minutes", KEYVAULT},
    {"KeyOperationForbidden", ERR_BLOCKED, CURE_KEY, "the key's permitted operations (key_ops) leave this one out",
     "add it: az keyvault key set-attributes --id KEY --ops wrapKey unwrapKey", KEYVAULT},
    {"KeyDisabled", ERR_BLOCKED, CURE_KEY, "the key version is disabled",
     "enable it, if it was not disabled on purpose", KEYVAULT},
    {"Forbidden", ERR_DENIED, CURE_PERMISSION, "we are not allowed to do this",
     "check our roles or access policies, and the firewall of the service", KEYVAULT},
    {"Unauthorized", ERR_DENIED, CURE_PERMISSION, "the token is not accepted", "check the tenant and the credential",
     KEYVAULT},
    {"VaultAlreadyExists", ERR_CONFLICT, CURE_KEY, "the vault's name is taken, maybe by a soft-deleted vault",
     "recover the deleted vault if it is ours, else choose another name", ARM_DOCS},
    {"MHSMNotFound", ERR_NOT_FOUND, CURE_KEY, "there is no such managed HSM", "look among the deleted managed HSMs",
     KEYVAULT},

    /* Restoring VMs in general. */
    {"UserErrorInstantRpNotFound", ERR_INVALID, CURE_REQUEST,
     "the recovery point never reached the vault and its snapshot is gone", "choose another recovery point", VMTROUBLE},
    {"UserErrorSkuNotAvailable", ERR_INVALID, CURE_REQUEST, "the VM size cannot be used in the target",
     "restore the disks, then make a VM of another confidential size", VMTROUBLE},
    {"UserErrorMarketPlaceVMNotSupported", ERR_INVALID, CURE_REQUEST,
     "the marketplace plan of the image is withdrawn or not accepted", "accept the plan's terms, or restore the disks",
     VMTROUBLE},
    {"UserErrorCoreCountSubscriptionQuotaReached", ERR_BLOCKED, CURE_ENVIRONMENT,
     "a quota of the subscription is used up",
     "raise the quota that the message names, or choose another size or region", RECORDED},
    {"UserErrorRequestDisallowedByPolicy", ERR_BLOCKED, CURE_ENVIRONMENT, "an Azure Policy denies the restore",
     "change the policy or add an exemption", VMTROUBLE},
    {"RequestDisallowedByPolicy", ERR_BLOCKED, CURE_ENVIRONMENT, "an Azure Policy denies this",
     "change the policy or add an exemption", ARM_DOCS},
    {"UserErrorBCMPremiumStorageQuotaError", ERR_BLOCKED, CURE_ENVIRONMENT, "the staging account has no room",
     "make room, or name another account", VMTROUBLE},
    {"UserErrorBCMRestoreStorageAccountNotFound", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the staging account is gone or unreachable", "name a staging account in the vault's region", RECORDED},
    {"UserErrorVmNotInDesirableState", ERR_CONFLICT, CURE_WAIT, "the VM has failed or is changing",
     "wait until the VM is in a stable state", VMTROUBLE},
    {"VmNotInDesirableState", ERR_CONFLICT, CURE_WAIT, "the VM has failed or is changing",
     "wait until the VM is in a stable state", VMTROUBLE},
    {"CopyingVHDsFromBackUpVaultTakingLongTime", ERR_TRANSIENT, CURE_REPEAT, "copying from the vault took too long",
     "try again later, three times at most", VMTROUBLE},
    {"VMRestorePointInternalError", ERR_BLOCKED, CURE_ENVIRONMENT,
     "something in the guest, such as a virus scanner, hindered the backup", "exclude the backup extension's paths",
     VMTROUBLE},
    {"UserErrorRpCollectionLimitReached", ERR_BLOCKED, CURE_ENVIRONMENT,
     "too many instant recovery points, mostly because a lock keeps them from being cleaned up",
     "remove the lock on the snapshot group", VMTROUBLE},
    {"UserErrorMigrationFromTrustedLaunchVMToNonTrustedVMNotAllowed", ERR_BLOCKED, CURE_PERSON,
     "the VM of this name had another security type", "use another name", VMTROUBLE},
    {"UserErrorEncryptedVmNotSupportedWithDiskEx", ERR_INVALID, CURE_REQUEST,
     "disks cannot be left out for a VM with Azure Disk Encryption", "drop the list of disks", ADETROUBLE},
    {"DiskEncryptionInternalError", ERR_BLOCKED, CURE_KEY, "a key or secret of Azure Disk Encryption is missing",
     "restore that key or secret; this concerns no confidential VM", ADETROUBLE},
    {"BCMProtGetSaSUriAsyncError", ERR_DENIED, CURE_PERMISSION, "the backup vault cannot reach its own encryption key",
     "repair the vault's identity and key", ADETROUBLE},
    {"320001", ERR_INVALID, CURE_REQUEST, "the source VM is gone", "restore as a new VM or as disks", VMTROUBLE},
    {"400094", ERR_INVALID, CURE_REQUEST, "the source VM is gone", "restore as a new VM or as disks", VMTROUBLE},
    {"BCMV2VMNotFound", ERR_INVALID, CURE_REQUEST, "the source VM is gone", "restore as a new VM or as disks",
     VMTROUBLE},
    {"UserErrorVmNotFoundV2", ERR_INVALID, CURE_REQUEST, "the source VM is gone", "restore as a new VM or as disks",
     VMTROUBLE},
    {"text: two different regions", ERR_INVALID, CURE_REQUEST, "vault and staging account are in different regions",
     "name a staging account in the vault's region", VMTROUBLE},
    {"text: storage account specified for the restore operation isn't supported", ERR_INVALID, CURE_REQUEST,
     "the staging account is of a kind that restores cannot use",
     "name a general-purpose account that is neither blob-only nor zone-redundant", VMTROUBLE},
    {"text: storage account specified for the restore operation isn't online", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the staging account is offline", "name another staging account, or bring this one back", VMTROUBLE},
    {"text: resource group quota", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the subscription has no room for another resource group",
     "remove groups that are not needed, or restore into one that is there", VMTROUBLE},
    {"text: specified subnet doesn't exist", ERR_INVALID, CURE_REQUEST, "the subnet of the target is not there",
     "name a subnet that exists in the target's region", VMTROUBLE},
    {"text: DNS name is already taken", ERR_INVALID, CURE_REQUEST, "the DNS name is taken", "choose another name",
     VMTROUBLE},
    {"text: authorization to access resources in your subscription", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the backup service is not authorized in the target's subscription",
     "restore the disks, then make the VM from them yourself", VMTROUBLE},
    {"UserErrorBackupOperationInProgress", ERR_CONFLICT, CURE_WAIT, "another backup of this VM is running",
     "wait for it, then look again", FIELD},
    {"UserErrorRestoreOperationInProgress", ERR_CONFLICT, CURE_WAIT, "another restore of this VM is running",
     "adopt it or wait for it", FIELD},
    {"RestoreOperationInProgress", ERR_CONFLICT, CURE_WAIT, "another restore of this VM is running",
     "adopt it or wait for it", FIELD},
    {"UserErrorSubscriptionStateNotRegistered", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the subscription or a resource provider in it cannot be used", "register the provider", FIELD},
    {"UserErrorVmProvisioningStateFailed", ERR_BLOCKED, CURE_ENVIRONMENT, "the VM is in a failed state",
     "reapply or redeploy it", FIELD},
    {"UserErrorGuestAgentStatusUnavailable", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the VM's agent is silent; new recovery points may be late", "repair the VM agent", VMTROUBLE},
    {"GuestAgentSnapshotTaskStatusError", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the VM's agent does not report on snapshots; new recovery points may be late", "repair the VM agent", RECORDED},
    {"400039", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the VM's agent does not report on snapshots; new recovery points may be late", "repair the VM agent", RECORDED},
    {"UserErrorKeyVaultNotFound", ERR_BLOCKED, CURE_KEY, "the vault in the VM's Azure Disk Encryption settings is gone",
     "restore that vault; this concerns no confidential VM", FIELD},
    {"BMSUserErrorInvalidInput", ERR_INVALID, CURE_REQUEST, "the backup service refuses the request as written",
     "compare the request with the message; repeating does not help", FIELD},
    {"CloudInvalidInputError", ERR_INVALID, CURE_REQUEST, "the backup service refuses the request as written",
     "compare the request with the message; repeating does not help", FIELD},
    {"UserErrorOperationFailedInvalidParameters", ERR_INVALID, CURE_REQUEST, "a parameter of the restore is wrong",
     "compare the request with the message; repeating does not help, whatever it says", FIELD},
    {"UserErrorJobSuccessfullyCancelled", ERR_CANCELLED, CURE_PERSON, "somebody cancelled the job",
     "ask who cancelled it before another one is started", RECORDED},
    {"RestoreOperationFailed", ERR_TRANSIENT, CURE_REPEAT, "the restore failed inside the service",
     "look for a job that runs anyway, then try again later", RECORDED},
    {"CloudInternalError", ERR_TRANSIENT, CURE_REPEAT, "trouble inside the service",
     "look for a job that started anyway, then try again", RECORDED},
    {"InternalServerError", ERR_TRANSIENT, CURE_REPEAT, "trouble inside the service", "try again in some minutes",
     ARM_DOCS},
    {"InternalError", ERR_TRANSIENT, CURE_REPEAT, "trouble inside the service", "try again in some minutes", ARM_DOCS},
    {"ServerTimeout", ERR_TRANSIENT, CURE_REPEAT, "the service was too slow", "try again in some minutes", ARM_DOCS},
    {"ServiceUnavailable", ERR_TRANSIENT, CURE_REPEAT, "the service is not available", "try again in some minutes",
     ARM_DOCS},
    {"ServerBusy", ERR_TRANSIENT, CURE_REPEAT, "the storage service is busy", "try again in some minutes", STORAGE},
    {"GatewayTimeout", ERR_TRANSIENT, CURE_REPEAT, "the service behind the gateway was too slow",
     "try again in some minutes", RECORDED},
    {"TooManyRequests", ERR_THROTTLED, CURE_REPEAT, "too many requests", "wait as long as the service says", LIMITS},
    {"Throttled", ERR_THROTTLED, CURE_REPEAT, "too many requests", "wait as long as the service says", LIMITS},
    {"ResourceRequestsThrottled", ERR_THROTTLED, CURE_REPEAT,
     "too many requests of this kind in the time that the message names", "wait as long as the message says", RECORDED},
    {"SubscriptionRequestsThrottled", ERR_THROTTLED, CURE_REPEAT, "too many requests in this subscription",
     "wait as long as the service says", LIMITS},
    {"RetryableErrorDueToAnotherOperation", ERR_CONFLICT, CURE_WAIT, "another operation holds the resource",
     "wait, then look again", LIMITS},
    {"OperationNotAllowed", ERR_CONFLICT, CURE_PERSON,
     "the operation is not allowed now, for a reason that only its message tells",
     "read the message; what asks for patience or names a quota is told apart", LIMITS},
    {"AnotherOperationInProgress", ERR_CONFLICT, CURE_WAIT, "another operation holds the resource",
     "wait, then look again", LIMITS},
    {"Conflict", ERR_CONFLICT, CURE_PERSON,
     "the resource is busy, or its name is taken; in a key store a living key holds the name",
     "look at what is there: what is as wanted is success, else wait; a name that something else holds needs another "
     "name or a person",
     LIMITS "; " KEYVAULT},
    {"PreconditionFailed", ERR_CONFLICT, CURE_REPEAT, "the resource changed in between", "read it again and plan again",
     LIMITS},
    {"ResourceGuardOperationNotAllowed", ERR_BLOCKED, CURE_PERSON, "a resource guard protects this operation",
     "a second person must approve it", GUARD},
    {"text: resource guard", ERR_BLOCKED, CURE_PERSON, "a resource guard protects this operation",
     "a second person must approve it", GUARD},

    /* Resource Manager: rights, scopes, names. */
    {"AuthorizationFailed", ERR_DENIED, CURE_PERMISSION, "we hold no role that allows this",
     "ask an owner of the scope for a role with this action, then wait some minutes", RBAC},
    {"LinkedAuthorizationFailed", ERR_DENIED, CURE_PERMISSION, "we hold no role on a resource the request refers to",
     "ask its owner for a role with this action, then wait some minutes", RBAC},
    {"text: not authorized to access linked subscription", ERR_DENIED, CURE_ENVIRONMENT,
     "the tenant may not reach the subscription of a linked resource",
     "no role is missing: use a credential of the tenant that owns the linked resource, or name a resource of this one",
     RBAC},
    {"DenyAssignmentAuthorizationFailed", ERR_DENIED, CURE_ENVIRONMENT,
     "a deny assignment forbids this, whatever roles we hold",
     "a person removes the deny assignment or excludes us from it; no role helps", RBAC},
    {"text: deny assignment with name", ERR_DENIED, CURE_ENVIRONMENT,
     "a deny assignment forbids this, whatever roles we hold",
     "a person removes the deny assignment or excludes us from it; no role helps", RBAC},
    {"text: DeniedWithDenyAssignment", ERR_DENIED, CURE_ENVIRONMENT,
     "a deny assignment forbids this, whatever roles we hold",
     "a person removes the deny assignment or excludes us from it; no role helps", RBAC},
    {"text: ABAC condition that is not fulfilled", ERR_DENIED, CURE_PERMISSION,
     "we hold the right under a condition, and the condition forbids this",
     "an owner of the scope widens the condition of our role assignment, or somebody else takes this step; the same "
     "role again does not "
     "help",
     RBAC},
    {"RoleAssignmentExists", ERR_CONFLICT, CURE_WAIT, "the same grant is there under another name",
     "nothing needs doing", RBAC},
    {"RoleAssignmentLimitExceeded", ERR_BLOCKED, CURE_ENVIRONMENT, "no further role assignment has room there",
     "whoever owns the scope removes assignments that nobody needs; trying again does not help", RBAC},
    {"RoleAssignmentUpdateNotPermitted", ERR_CONFLICT, CURE_PERSON,
     "a role assignment of this name grants something else", "a person looks at that assignment", RBAC},
    {"PrincipalNotFound", ERR_TRANSIENT, CURE_WAIT, "the directory does not know the identity yet",
     "wait some minutes for it to be replicated; if that does not help the identity is gone", RBAC},
    {"RoleDefinitionDoesNotExist", ERR_INVALID, CURE_REQUEST, "there is no such role", "check the role's id", RBAC},
    {"ScopeLocked", ERR_BLOCKED, CURE_ENVIRONMENT, "a management lock forbids this",
     "a person removes the lock, if it may be removed", RBAC},
    {"SubscriptionNotRegistered", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the resource provider is not registered in the subscription", "register the provider", ARM_DOCS},
    {"MissingSubscriptionRegistration", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the resource provider is not registered in the subscription", "register the provider", ARM_DOCS},
    {"ReadOnlyDisabledSubscription", ERR_BLOCKED, CURE_ENVIRONMENT,
     "the subscription is disabled, so it can be read and nothing in it be changed",
     "whoever pays for the subscription enables it again; no role helps", ARM_DOCS},
    {"SubscriptionDisabled", ERR_BLOCKED, CURE_ENVIRONMENT, "the subscription is disabled",
     "whoever pays for the subscription enables it again; no role helps", ARM_DOCS},
    {"ResourceNotFound", ERR_NOT_FOUND, CURE_REQUEST, "there is no such resource", "check its id", RECORDED},
    {"ResourceGroupNotFound", ERR_NOT_FOUND, CURE_REQUEST, "the resource group is gone, so nothing can be in it",
     "make the group before anything is put into it", RECORDED},
    {"DeletedVaultNotFound", ERR_NOT_FOUND, CURE_REQUEST, "no deleted key vault of this name is there",
     "check its name and region", KEYVAULT},
    {"DeletedManagedHsmNotFound", ERR_NOT_FOUND, CURE_REQUEST, "no deleted managed HSM of this name is there",
     "check its name and region", KEYVAULT},
    {"RoleAssignmentNotFound", ERR_NOT_FOUND, CURE_REQUEST, "there is no such grant", "check its id", RBAC},
    {"RoleDefinitionNotFound", ERR_NOT_FOUND, CURE_REQUEST, "there is no such role", "check the role's id", KEYVAULT},
    {"OperationNotFound", ERR_NOT_FOUND, CURE_WAIT, "the operation is not known, or not yet",
     "look at the resource itself", ARM_DOCS},
    {"BMSUserErrorPolicyNotFound", ERR_NOT_FOUND, CURE_REQUEST, "the vault has no such backup policy",
     "check the policy's name", VMTROUBLE},
    {"BMSUserErrorObjectNotFound", ERR_NOT_FOUND, CURE_REQUEST, "the vault has no such object", "check its id",
     VMTROUBLE},
    {"ParentResourceNotFound", ERR_NOT_FOUND, CURE_REQUEST, "the resource this one belongs to is gone", "check its id",
     ARM_DOCS},
    {"NotFound", ERR_NOT_FOUND, CURE_REQUEST, "there is no such resource", "check its id", RECORDED},
    {"Request_ResourceNotFound", ERR_NOT_FOUND, CURE_REQUEST, "the directory has no such object", "check its id",
     RECORDED},
    {"SubscriptionNotFound", ERR_INVALID, CURE_REQUEST, "the subscription does not exist or is not visible to us",
     "check the subscription and the tenant; this does not mean that its resources are gone", ARM_DOCS},
    {"InvalidSubscriptionId", ERR_INVALID, CURE_REQUEST, "this is no subscription id", "check the subscription",
     ARM_DOCS},
    {"InvalidResourceNamespace", ERR_INVALID, CURE_REQUEST, "there is no such resource provider",
     "check the id; this does not mean that the resource is gone", ARM_DOCS},
    {"InvalidResourceType", ERR_INVALID, CURE_REQUEST, "there is no such resource type",
     "check the id; this does not mean that the resource is gone", ARM_DOCS},
    {"NoRegisteredProviderFound", ERR_INVALID, CURE_REQUEST, "the resource type or api-version is not offered here",
     "name an api-version that is offered (the refusal lists them) in Azure.spec.apiVersions, or check the location "
     "and the cloud",
     ARM_DOCS},
    {"InvalidApiVersionParameter", ERR_INVALID, CURE_REQUEST, "the api-version is not offered here",
     "name one that is offered (the refusal lists them) in Azure.spec.apiVersions", ARM_DOCS},
    {"InvalidAuthenticationToken", ERR_DENIED, CURE_PERMISSION, "the token is not accepted",
     "check tenant, cloud and credential", ARM_DOCS},
    {"InvalidAuthenticationTokenTenant", ERR_DENIED, CURE_PERMISSION,
     "the token is of another tenant than the subscription", "check the tenant", ARM_DOCS},
    {"ExpiredAuthenticationToken", ERR_DENIED, CURE_PERMISSION, "the token has expired", "use a fresh token", ARM_DOCS},
    {"insufficient_claims", ERR_DENIED, CURE_PERMISSION,
     "the directory no longer accepts this sign-in (continuous access evaluation)",
     "sign in anew: the account was changed, or this network is not one from which it may be used", ENTRA},
    {"AuthenticationFailed", ERR_DENIED, CURE_PERMISSION,
     "the service does not accept how the request was signed or its token",
     "check the credential and this machine's clock", STORAGE},

    /* Blobs. */
    {"BlobNotFound", ERR_NOT_FOUND, CURE_REQUEST, "the container has no such blob",
     "check its name; it may have been deleted", STORAGE},
    {"ContainerNotFound", ERR_NOT_FOUND, CURE_REQUEST, "the storage account has no such container",
     "check its name; it may have been deleted", STORAGE},
    {"AuthorizationPermissionMismatch", ERR_DENIED, CURE_PERMISSION, "we hold no role that lets us do this with blobs",
     "assign us Storage Blob Data Reader (to write: Storage Blob Data Contributor) on the account or container, then "
     "wait some minutes", STORAGE},
    {"AuthorizationFailure", ERR_DENIED, CURE_ENVIRONMENT, "the storage account's network rules or policies refuse us",
     "run from an allowed network, or change the account's network rules", STORAGE},
    {"KeyBasedAuthenticationNotPermitted", ERR_DENIED, CURE_ENVIRONMENT,
     "the storage account does not accept account keys", "use a token: assign us Storage Blob Data Reader", STORAGE},
    {"InvalidAuthenticationInfo", ERR_DENIED, CURE_PERMISSION, "the storage account does not accept the token",
     "check tenant and audience", STORAGE},

    /* Tokens. */
    {"AADSTS7000215", ERR_DENIED, CURE_PERMISSION, "the client secret is wrong",
     "give the secret's value, not its id, in AZURE_CLIENT_SECRET", ENTRA},
    {"AADSTS7000222", ERR_DENIED, CURE_PERMISSION, "the client secret has expired",
     "make a new secret for the application", ENTRA},
    {"AADSTS700016", ERR_DENIED, CURE_PERMISSION, "the tenant does not know the application",
     "check AZURE_CLIENT_ID and AZURE_TENANT_ID", ENTRA},
    {"AADSTS90002", ERR_DENIED, CURE_PERMISSION, "there is no such tenant in this cloud",
     "check AZURE_TENANT_ID and the cloud", ENTRA},
    {"AADSTS700027", ERR_DENIED, CURE_PERMISSION, "the certificate does not fit the application",
     "register the certificate with the application", ENTRA},
    {"AADSTS70021", ERR_TRANSIENT, CURE_WAIT, "the directory does not know the federated credential yet",
     "try again in some minutes", ENTRA},
    {"AADSTS700211", ERR_DENIED, CURE_PERMISSION, "the federated credential's issuer does not fit",
     "compare it with the token's issuer", ENTRA},
    {"AADSTS700212", ERR_DENIED, CURE_PERMISSION, "the federated credential's audience does not fit",
     "compare it with the token's audience", ENTRA},
    {"AADSTS700213", ERR_DENIED, CURE_PERMISSION, "the federated credential's subject does not fit",
     "compare it with the token's subject", ENTRA},
    {"AADSTS500011", ERR_DENIED, CURE_PERMISSION, "the tenant does not know the service the token was asked for",
     "check the cloud's audiences", ENTRA},
};
const size_t azure_n_errors = COUNT(azure_errors);

#define BY(audience) (1u << AUDIENCE_##audience)
#define BY_KEYS (BY(VAULT) | BY(HSM))

/* Who says "there is no such thing" by which code; of Resource Manager, behind which part of an id (NULL: any). */
static const struct {
    const char *code;
    unsigned by;
    const char *behind;
} absent[] = {
    {"KeyNotFound", BY_KEYS, NULL},
    {"VaultNotFound", BY(VAULT), NULL},
    {"VaultNotFound", BY(ARM), "Microsoft.KeyVault/"},
    {"VaultNotFound", BY(ARM), "Microsoft.RecoveryServices/"},
    {"MHSMNotFound", BY(HSM), NULL},
    {"MHSMNotFound", BY(ARM), "Microsoft.KeyVault/"},
    {"DeletedVaultNotFound", BY(ARM), "Microsoft.KeyVault/"},
    {"DeletedManagedHsmNotFound", BY(ARM), "Microsoft.KeyVault/"},
    {"RoleAssignmentNotFound", BY(HSM), NULL},
    {"RoleAssignmentNotFound", BY(ARM), "Microsoft.Authorization/"},
    {"RoleDefinitionNotFound", BY(HSM), NULL},
    {"RoleDefinitionNotFound", BY(ARM), "Microsoft.Authorization/"},
    {"BMSUserErrorPolicyNotFound", BY(ARM), "Microsoft.RecoveryServices/"},
    {"BMSUserErrorObjectNotFound", BY(ARM), "Microsoft.RecoveryServices/"},
    {"OperationNotFound", BY(ARM), "operation"},
    {"ResourceNotFound", BY(ARM) | BY(STORAGE), NULL},
    {"ResourceGroupNotFound", BY(ARM), NULL},
    {"ParentResourceNotFound", BY(ARM), NULL},
    {"NotFound", BY(ARM) | BY_KEYS | BY(GRAPH), NULL},
    {"Request_ResourceNotFound", BY(GRAPH), NULL},
    {"BlobNotFound", BY(STORAGE), NULL},
    {"ContainerNotFound", BY(STORAGE), NULL},
};

/* "Microsoft.Authorization/roleAssignments/…" of an assignment at a vault. */
static const char *behind_last_provider(const char *url)
{
    const char *ret = url;

    for (const char *p = url; (p = str_find_nocase(p, "/providers/")); ret = p)
        p += strlen("/providers/");
    return ret;
}

bool azure_says_absent(const struct azure_asked *asked, const char *code)
{
    const char *tail = asked->url ? behind_last_provider(asked->url) : NULL;

    for (size_t i = 0; i < COUNT(absent); i++)
        if (str_eq_nocase(absent[i].code, code) &&
            (asked->anyone ||
             ((absent[i].by >> asked->audience & 1) && (!absent[i].behind || str_find_nocase(tail, absent[i].behind)))))
            return true;
    return false;
}

const struct azure_error *azure_error_find(const char *code)
{
    for (size_t i = 0; i < COUNT(azure_errors); i++)
        if (code && str_eq_nocase(azure_errors[i].code, code))
            return &azure_errors[i];
    return NULL;
}

static bool says_one_of(const char *text, const char *const *words, size_t n)
{
    for (size_t i = 0; text && i < n; i++)
        if (str_find_nocase(text, words[i]))
            return true;
    return false;
}

const struct azure_error *azure_error_meant(const char *code, const char *text)
{
    static const char *const quota[] = {"quota", "cores limit", "limit exceeded"};
    static const char *const later[] = {"another operation", "in progress",   "retry",
                                        "try again",         "being updated", "being used by"};

    if (str_eq_nocase(code, "OperationNotAllowed") || str_eq_nocase(code, "Conflict")) {
        if (says_one_of(text, quota, COUNT(quota)))
            return azure_error_find("UserErrorCoreCountSubscriptionQuotaReached");
        if (says_one_of(text, later, COUNT(later)))
            return azure_error_find("AnotherOperationInProgress");
    }
    return azure_error_find(code);
}

const struct azure_error *azure_error_in_text(const char *text)
{
    static const char mark[] = "text: ";

    for (size_t i = 0; text && i < COUNT(azure_errors); i++)
        if (str_starts(azure_errors[i].code, mark) && str_find_nocase(text, azure_errors[i].code + sizeof(mark) - 1))
            return &azure_errors[i];
    return NULL;
}

static const struct {
    char letter;
    const char *words;
} cures[CURE_COUNT] = {
    [CURE_REPEAT] = {'R', "try again as it is, after a while"},
    [CURE_WAIT] = {'W', "wait for something, then try again"},
    [CURE_KEY] = {'K', "a key must be recovered or restored"},
    [CURE_PERMISSION] = {'P', "a permission is missing"},
    [CURE_SET] = {'D', "the disk encryption set is at fault"},
    [CURE_REQUEST] = {'C', "the request must be changed"},
    [CURE_ENVIRONMENT] = {'E', "the environment must be changed by its operator"},
    [CURE_PERSON] = {'H', "a person decides"},
};

char azure_cure_letter(enum azure_cure cure)
{
    return cures[cure].letter;
}

const char *azure_cure_words(enum azure_cure cure)
{
    return cures[cure].words;
}
