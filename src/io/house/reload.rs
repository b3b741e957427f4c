//! A new plan, whole or not at all: read, checked, then swapped in for the calls to come.

use std::sync::Arc;

use super::{House, load_sounds, start};
use crate::io::look_up::Sources;
use crate::io::plan_files;
use crate::io::sip_socket::tls::Files;
use crate::switchboard::Input;

impl House {
    /// Reads the plan again. A faulty file, or one that wants what only a restart gives, changes
    /// nothing: `false`.
    pub(super) fn reload(&mut self) -> bool {
        // Certificates are files of their own: they are read again whatever becomes of the plan.
        self.sockets.renew_certificates(None);
        let outcome = plan_files::load(&self.setup.config, &self.setup.overrides);
        let Some(plan) = outcome.plan.map(Arc::new) else {
            tracing::error!("the plan stays as it is:\n{}", outcome.report.render(false));
            return false;
        };
        let tokens = match start::tokens(&plan, &self.setup) {
            Ok((tokens, _)) => tokens,
            Err(error) => {
                tracing::error!(%error, "the plan stays as it is");
                return false;
            }
        };
        if plan.digest == self.plan.digest {
            self.tokens.send_replace(tokens); // Their files may have changed all the same.
            tracing::info!("the plan has not changed");
            return true;
        }
        let old = &self.plan;
        if plan.network.listen != old.network.listen
            || plan.network.rtp_ports != old.network.rtp_ports
            || plan.sinks != old.sinks
        {
            tracing::error!("the plan stays as it is: listen, rtp_ports and ticket_sink want a restart");
            return false;
        }
        let accounts = match start::accounts(&plan, &self.setup) {
            Ok((accounts, _)) => accounts,
            Err(error) => {
                tracing::error!(%error, "the plan stays as it is");
                return false;
            }
        };
        let look_ups = match Sources::open(&plan, &self.setup.data, &self.desk, &self.look_ups) {
            Ok(look_ups) => look_ups,
            Err(error) => {
                tracing::error!(%error, "the plan stays as it is");
                return false;
            }
        };
        self.sockets.renew_certificates(Some(Files::of(&plan.network.tls, &self.setup.data)));
        let trunk_passwords = match start::trunk_passwords(&plan, &self.setup) {
            Ok(passwords) => passwords,
            Err(error) => {
                tracing::error!(%error, "the plan stays as it is");
                return false;
            }
        };
        self.look_ups = look_ups;
        self.tokens.send_replace(tokens);
        let (bank, sounds) = load_sounds(&plan, &self.bank, &mut self.loaded);
        self.bank = bank;
        self.media.set_bank(&self.bank);
        self.tracer.configure(plan.trace);
        self.archive.set_format(start::format(&plan));
        let previous = std::mem::replace(&mut self.plan, plan.clone()).digest.clone();
        tracing::info!(digest = plan.digest, "a new plan is in force for the calls to come");
        self.note_plan(Some(previous));
        let changed = Input::PlanChanged { plan, accounts, trunk_passwords, sounds };
        self.board.handle_input(changed, self.setup.clock.now());
        self.resolver.follow(&self.plan);
        true
    }
}
