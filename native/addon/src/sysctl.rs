//! The settings of a namespace.

use napi::bindgen_prelude::PromiseRaw;
use napi::{Env, Result};
use napi_derive::napi;
use navstar_kernel::sysctl::{self as kernel, SysctlError};

use crate::namespace::NetworkNamespace;
use crate::operation::Failure;

/// Rejects with code `INVALID_ARGUMENT`, `SYSCTL_SYSTEM` (with `errno`) or `NAMESPACE_…`.
#[napi]
impl NetworkNamespace {
    /// The texts of settings below `/proc/sys/net`, e.g. of `ipv4/vs/conntrack`, in their order;
    /// `null` for one that this kernel lacks.
    #[napi(catch_unwind)]
    pub fn sysctl_read<'env>(
        &self,
        env: &'env Env,
        names: Vec<String>,
    ) -> Result<PromiseRaw<'env, Vec<Option<String>>>> {
        self.run(env, move |_| {
            let texts = names.iter().map(|name| kernel::read(name));
            texts.collect::<std::result::Result<Vec<_>, SysctlError>>()
        })
    }

    /// Sets a setting.
    #[napi(catch_unwind)]
    pub fn sysctl_write<'env>(
        &self,
        env: &'env Env,
        name: String,
        value: String,
    ) -> Result<PromiseRaw<'env, ()>> {
        self.run(env, move |_| kernel::write(&name, &value))
    }
}

impl From<SysctlError> for Failure {
    fn from(error: SysctlError) -> Self {
        match &error {
            SysctlError::Name { .. } => Self::invalid(error.to_string()),
            SysctlError::System { source, .. } => Self::of("SYSCTL_SYSTEM", Some(*source), &error),
        }
    }
}
