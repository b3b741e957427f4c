//! A dialog as one side keeps it (RFC 3261 §12): tags, sequence numbers, target and route set.

use std::net::SocketAddr;

use rsip::headers::{CallId, UntypedHeader};
use rsip::{Header, Method, Request, Response, Uri};

use super::message::{self, Body};

/// One dialog.
#[derive(Clone, Debug)]
pub(super) struct Dialog {
    /// Call-ID.
    pub call_id: String,
    /// Our tag.
    pub local_tag: String,
    /// The other side's tag.
    pub remote_tag: String,
    /// The number of the request that we sent last.
    pub cseq: u32,
    /// The number of the request that they sent last.
    heard_cseq: Option<u32>,
    local: String,
    remote: String,
    target: Uri,
    routes: Vec<String>,
}

impl Dialog {
    /// The caller's dialog, from the INVITE and an answer with a tag (§12.1.2).
    pub(super) fn of_answer(invite: &Request, response: &Response) -> Option<Self> {
        let mut routes = message::record_routes(&response.headers);
        routes.reverse();
        Some(Dialog {
            call_id: message::call_id(invite)?.to_owned(),
            local_tag: message::from_tag(invite)?,
            remote_tag: message::to_tag(response)?,
            cseq: message::cseq(invite)?.0,
            heard_cseq: None,
            local: message::from(invite)?.to_owned(),
            remote: message::to(response)?.to_owned(),
            target: message::contact(response).unwrap_or_else(|| invite.uri.clone()),
            routes,
        })
    }

    /// The called side's dialog, from the INVITE and the tag that we chose (§12.1.1).
    pub(super) fn of_invite(invite: &Request, tag: &str, first_cseq: u32) -> Option<Self> {
        Some(Dialog {
            call_id: message::call_id(invite)?.to_owned(),
            local_tag: tag.to_owned(),
            remote_tag: message::from_tag(invite).unwrap_or_default(),
            cseq: first_cseq,
            heard_cseq: Some(message::cseq(invite)?.0),
            local: format!("{};tag={tag}", message::to(invite)?),
            remote: message::from(invite)?.to_owned(),
            target: message::contact(invite)?,
            routes: message::record_routes(&invite.headers),
        })
    }

    /// Says whether a request belongs to this dialog.
    pub(super) fn owns(&self, request: &Request) -> bool {
        message::call_id(request) == Some(&self.call_id)
            && message::to_tag(request).as_deref() == Some(&self.local_tag)
            && message::from_tag(request).unwrap_or_default() == self.remote_tag
    }

    /// Notes the number of a request from the other side; `false` where it is out of order (§12.2.2).
    pub(super) fn hear(&mut self, cseq: u32) -> bool {
        let fresh = self.heard_cseq.is_none_or(|heard| cseq > heard);
        if fresh {
            self.heard_cseq = Some(cseq);
        }
        fresh
    }

    /// Where requests are addressed.
    pub(super) fn target(&self) -> &Uri {
        &self.target
    }

    /// Takes a new target from a re-INVITE or its answer (§12.2).
    pub(super) fn refresh(&mut self, contact: Option<Uri>) {
        if let Some(contact) = contact {
            self.target = contact;
        }
    }

    /// A request inside the dialog with number `cseq`; `via` and `extra` are set before the rest.
    pub(super) fn request(
        &self,
        method: Method,
        cseq: u32,
        via: Header,
        extra: Vec<Header>,
        body: Option<Body<'_>>,
    ) -> Request {
        let mut headers = vec![via];
        headers
            .extend(self.routes.iter().map(|route| Header::Route(rsip::headers::Route::new(route.as_str()))));
        headers.push(Header::MaxForwards(Default::default()));
        headers.push(Header::From(rsip::headers::From::new(self.local.as_str())));
        headers.push(Header::To(rsip::headers::To::new(self.remote.as_str())));
        headers.push(Header::CallId(CallId::new(self.call_id.as_str())));
        headers.push(Header::CSeq(rsip::headers::CSeq::new(format!("{cseq} {method}"))));
        headers.push(Header::UserAgent(message::USER_AGENT.into()));
        headers.extend(extra);
        message::request(method, self.target.clone(), headers, body)
    }

    /// Where requests go next: the first route, else the target, else `server` for names (§8.1.2).
    pub(super) fn next_hop(&self, server: SocketAddr) -> SocketAddr {
        let first = match self.routes.first() {
            Some(route) => message::uri_within(route),
            None => Some(self.target.clone()),
        };
        first.and_then(|uri| message::address(&uri)).unwrap_or(server)
    }
}
