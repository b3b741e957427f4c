//! The guard at the door: who asks, whether the route is for them, and how long they may take to say it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use axum::extract::{MatchedPath, Query, Request, State as Shared};
use axum::http::{HeaderMap, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::App;
use super::listen::Peer;
use super::problem::{self, Problem};
use super::rights::{self, Who};
use super::tokens::Bearer;
use crate::routing::admin::Access;

/// Lets a request through to its route with the [`Bearer`] that it came from, or refuses it.
pub(super) async fn check(Shared(app): Shared<Arc<App>>, mut request: Request, next: Next) -> Response {
    let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
    let is_metrics = path.as_deref() == Some(rights::METRICS);
    let Some(who) = path.and_then(|path| rights::who(request.method(), &path)) else {
        return Problem::from(problem::NO_METHOD).into_response();
    };
    let who = match who {
        // The plan may have figures for whoever shows a token.
        Who::Anybody if is_metrics && app.state.tokens.borrow().metrics == Access::Token => rights::ALL,
        who => who,
    };
    if let Who::Roles(_) = who {
        match bearer(&app, &request) {
            Err(problem) => return problem.into_response(),
            Ok(bearer) if !who.includes(bearer.asker.role) => {
                return Problem::from(problem::NOT_ALLOWED).into_response();
            }
            Ok(bearer) => drop(request.extensions_mut().insert(bearer)),
        }
    }
    let answer = tokio::time::timeout(app.state.bounds.request_wait, next.run(request));
    answer.await.unwrap_or_else(|_| Problem::from(problem::TOO_SLOW).into_response())
}

fn bearer(app: &App, request: &Request) -> Result<Bearer, Problem> {
    let shown = shown(request.headers()).ok_or(problem::NO_TOKEN)?;
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| address.ip());
    let now = Instant::now();
    let (found, security) = {
        let tokens = app.state.tokens.borrow();
        (tokens.find(shown).cloned(), tokens.security)
    };
    let Some(mut bearer) = found else {
        if let Some(wait) = peer.and_then(|source| app.brake.holds(source, &security, now)) {
            app.state.figures.token_refused("braked");
            return Err(Problem::from(problem::BRAKED).after(wait.as_secs() + 1));
        }
        app.state.figures.token_refused("wrong");
        peer.inspect(|source| app.brake.wrong(*source, &security, now));
        return Err(problem::WRONG_TOKEN.into());
    };
    if bearer.is_owner
        && let Some(name) = named(request.uri())
    {
        bearer.asker.name = name;
    }
    Ok(bearer)
}

/// The token of an `Authorization: Bearer` (RFC 6750 §2.1).
fn shown(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    Some(token.trim()).filter(|token| scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty())
}

/// Who holds the house's own token says who they are.
fn named(uri: &Uri) -> Option<String> {
    let Query(mut said) = Query::<HashMap<String, String>>::try_from_uri(uri).ok()?;
    said.remove("by").filter(|name| !name.is_empty())
}
