//! Credentials of clouds that are not supported. The blocks are known in full, so that what is refused is the block and not what is in it.

use river_syntax::{Block, Secret};

/// Credentials of Azure AD, which are refused.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct AzureAd {
    /// The cloud.
    #[river(default)]
    cloud: String,
    /// The scope.
    #[river(default)]
    scope: String,
    /// Those of the machine.
    #[river(block)]
    managed_identity: Option<ManagedIdentity>,
    /// Those of the workload.
    #[river(block)]
    workload_identity: Option<WorkloadIdentity>,
    /// Those of an application.
    #[river(block)]
    oauth: Option<OAuth>,
    /// Those that Azure's library finds.
    #[river(block)]
    sdk: Option<Sdk>,
}

/// Those of the machine.
#[derive(Debug, Clone, PartialEq, Block)]
struct ManagedIdentity {
    /// The client's identifier.
    #[river(default)]
    client_id: String,
}

/// Those of the workload.
#[derive(Debug, Clone, PartialEq, Block)]
struct WorkloadIdentity {
    /// The client's identifier.
    #[river(default)]
    client_id: String,
    /// The tenant's identifier.
    #[river(default)]
    tenant_id: String,
    /// A file with a token.
    #[river(default)]
    token_file_path: String,
}

/// Those of an application.
#[derive(Debug, Clone, PartialEq, Block)]
struct OAuth {
    /// The client's identifier.
    #[river(default)]
    client_id: String,
    /// Its secret.
    client_secret: Option<Secret>,
    /// The tenant's identifier.
    #[river(default)]
    tenant_id: String,
}

/// Those that Azure's library finds.
#[derive(Debug, Clone, PartialEq, Block)]
struct Sdk {
    /// The tenant's identifier.
    #[river(default)]
    tenant_id: String,
}

/// Credentials of Google IAM, which are refused.
#[derive(Debug, Clone, PartialEq, Block)]
pub(super) struct GoogleIam {
    /// A file with the credentials.
    #[river(default)]
    credentials_file: String,
}
