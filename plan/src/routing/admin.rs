//! `[admin]`: where the HTTP interface is served, and who may read its figures.

use std::net::{Ipv4Addr, SocketAddr};

use serde::{Deserialize, Serialize};

use super::diagnostic::Spot;
use super::read::Reader;
use super::source::Said;

/// Where HTTP is served if the file does not say it: for this machine only.
const HTTP: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8345);

/// `http` where there is to be none.
pub(super) const NOWHERE: &str = "none";

/// `http` of `[admin]`: an address and port, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HttpAt {
    /// There.
    At(SocketAddr),
    /// HTTP is not served.
    Nowhere,
}

impl HttpAt {
    fn address(self) -> Option<SocketAddr> {
        match self {
            HttpAt::At(at) => Some(at),
            HttpAt::Nowhere => None,
        }
    }
}

/// `[admin]` as it is written.
#[derive(Debug)]
pub(super) struct AdminTable {
    /// `http`.
    pub(super) http: Option<Said<HttpAt>>,
    /// `metrics`.
    pub(super) metrics: Option<Said<Access>>,
}

/// `[admin]`, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Admin {
    /// Where HTTP is served; `None`: nowhere. The command line's `--http` counts before it.
    pub http: Option<SocketAddr>,
    /// Who may read `/metrics`.
    pub metrics: Access,
}

/// Who may read something.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Whoever reaches the address: nothing there is about a person.
    #[default]
    Open,
    /// Who shows a token of any role.
    Token,
}

impl Default for Admin {
    /// What holds where the file says nothing.
    fn default() -> Self {
        Admin { http: Some(HTTP), metrics: Access::Open }
    }
}

impl AdminTable {
    pub(super) fn read(reader: &mut Reader<'_, '_>) -> Self {
        AdminTable { http: reader.or("http", HttpAt::At(HTTP)), metrics: reader.or("metrics", Access::Open) }
    }

    /// What the command line says in place of the file's `http`, where the file has no table.
    pub(super) fn overridden(http: HttpAt, spot: Spot) -> Self {
        let metrics = Said { value: Access::Open, spot: spot.clone() };
        AdminTable { http: Some(Said { value: http, spot }), metrics: Some(metrics) }
    }

    /// What the file wants; without the table, the defaults.
    pub(super) fn plan(table: Option<&AdminTable>) -> Option<Admin> {
        let Some(table) = table else { return Some(Admin::default()) };
        Some(Admin { http: table.http.as_ref()?.value.address(), metrics: table.metrics.as_ref()?.value })
    }
}
