//! Who may ask what by HTTP: every route with the roles that it is for. A route that is not here is for nobody.

use axum::http::Method;

use crate::routing::people::Role;
use crate::routing::people::Role::{Admin, Clerk, Expert, Leader, Observer, Supervisor, Trainee};

/// Whom a route is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Anybody, without a token: nothing there is about a person.
    Anybody,
    /// These.
    Roles(&'static [Role]),
}

/// Whoever shows a token.
pub(super) const ALL: Who = Who::Roles(&[Admin, Supervisor, Leader, Clerk, Expert, Observer, Trainee]);
/// Who talks with callers.
const TALKING: Who = Who::Roles(&[Admin, Supervisor, Leader, Clerk, Expert]);
const WATCHING: Who = Who::Roles(&[Admin, Supervisor, Observer, Trainee]);
const LEADING: Who = Who::Roles(&[Admin, Supervisor]);
/// Where the figures are, for anybody unless the plan says otherwise (`[admin] metrics`).
pub(super) const METRICS: &str = "/metrics";
const OWNING: Who = Who::Roles(&[Admin]);

/// One route.
#[derive(Clone, Debug)]
pub struct Route {
    /// How it is asked.
    pub method: Method,
    /// Where.
    pub path: &'static str,
    /// Whom it is for. What of it, [`Request::is_for`](crate::switchboard::request::Request::is_for) says.
    pub who: Who,
}

const fn route(method: Method, path: &'static str, who: Who) -> Route {
    Route { method, path, who }
}

/// All of them.
pub static ROUTES: [Route; 50] = [
    route(Method::GET, "/healthz", Who::Anybody),
    route(Method::GET, "/readyz", Who::Anybody),
    route(Method::GET, METRICS, Who::Anybody),
    route(Method::GET, "/v1/openapi.json", Who::Anybody),
    route(Method::GET, "/v1/snapshot", ALL),
    route(Method::GET, "/v1/seats", ALL),
    route(Method::GET, "/v1/seats/{seat}", ALL),
    route(Method::POST, "/v1/seats/{seat}/state", ALL),
    route(Method::POST, "/v1/seats/{seat}/dial", TALKING),
    route(Method::GET, "/v1/queues", ALL),
    route(Method::POST, "/v1/queues/{queue}/surge", LEADING),
    route(Method::GET, "/v1/calls", ALL),
    route(Method::GET, "/v1/calls/{call}", ALL),
    route(Method::POST, "/v1/calls/{call}/consult", TALKING),
    route(Method::POST, "/v1/calls/{call}/merge", TALKING),
    route(Method::POST, "/v1/calls/{call}/leave", TALKING),
    route(Method::POST, "/v1/calls/{call}/return", TALKING),
    route(Method::POST, "/v1/calls/{call}/hold", TALKING),
    route(Method::POST, "/v1/calls/{call}/resume", TALKING),
    route(Method::POST, "/v1/calls/{call}/requeue", TALKING),
    route(Method::POST, "/v1/calls/{call}/take-over", LEADING),
    route(Method::POST, "/v1/calls/{call}/end", LEADING),
    route(Method::POST, "/v1/calls/{call}/watch", WATCHING),
    route(Method::POST, "/v1/calls/{call}/disposition", TALKING),
    route(Method::POST, "/v1/calls/{call}/flag", TALKING),
    route(Method::POST, "/v1/calls/{call}/kb", TALKING),
    route(Method::GET, "/v1/kb", ALL),
    route(Method::GET, "/v1/kb/{id}", ALL),
    route(Method::POST, "/v1/kb/{id}/errors", TALKING),
    route(Method::GET, "/v1/missed", TALKING),
    route(Method::POST, "/v1/missed/{call}/call-back", TALKING),
    route(Method::GET, "/v1/notices", LEADING),
    route(Method::POST, "/v1/notices", LEADING),
    route(Method::DELETE, "/v1/notices/{notice}", LEADING),
    route(Method::POST, "/v1/tickets/{ticket}/state", LEADING),
    route(Method::GET, "/v1/tickets/dead", LEADING),
    route(Method::POST, "/v1/tickets/dead/{call}/{sequence}/resend", LEADING),
    route(Method::GET, "/v1/facts", ALL),
    route(Method::GET, "/v1/recordings/{call}", LEADING),
    route(Method::GET, "/v1/recordings/{call}/manifest", LEADING),
    route(Method::POST, "/v1/recordings/{call}/pause", TALKING),
    route(Method::POST, "/v1/recordings/{call}/resume", TALKING),
    route(Method::POST, "/v1/recordings/{call}/hold", LEADING),
    route(Method::POST, "/v1/recordings/{call}/release", LEADING),
    route(Method::GET, "/v1/traces/{call}", LEADING),
    route(Method::GET, "/v1/ledger", OWNING),
    route(Method::GET, "/v1/plan", LEADING),
    route(Method::GET, "/v1/plan/history", LEADING),
    route(Method::POST, "/v1/plan/reload", OWNING),
    route(Method::POST, "/v1/plan/rollback", OWNING),
];

/// Whom a route is for; HEAD is asked as GET is (RFC 9110 §9.3.2). `None`: there is none.
pub fn who(method: &Method, path: &str) -> Option<Who> {
    let method = if *method == Method::HEAD { &Method::GET } else { method };
    ROUTES.iter().find(|route| route.method == *method && route.path == path).map(|route| route.who)
}

impl Who {
    /// Whether it is for this role.
    pub fn includes(self, role: Role) -> bool {
        match self {
            Who::Anybody => true,
            Who::Roles(roles) => roles.contains(&role),
        }
    }
}

/// A role's name in documents.
pub fn name(role: Role) -> &'static str {
    match role {
        Clerk => "clerk",
        Expert => "expert",
        Leader => "leader",
        Observer => "observer",
        Trainee => "trainee",
        Supervisor => "supervisor",
        Admin => "admin",
    }
}

/// Whether this role sees telephone numbers of people in full, whoever's the call is.
pub fn sees_numbers(role: Role) -> bool {
    match role {
        Admin | Supervisor => true,
        Clerk | Expert | Leader | Observer | Trainee => false,
    }
}

/// Whether this role sees them in calls of its own seat.
pub fn sees_own_numbers(role: Role) -> bool {
    match role {
        Admin | Supervisor | Clerk | Expert | Leader => true,
        Observer | Trainee => false,
    }
}
