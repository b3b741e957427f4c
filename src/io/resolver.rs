//! Looks up trunks' names, again and again, on the worker: the control loop is told and never waits.
//!
//! Which questions, and what the answers mean, is for [`locate`](crate::sip::locate) to say. An
//! answer is good until its time is over; where the next one does not come, the last good one stays.

mod dns;
mod watch;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::id::{Dice, TrunkId};
use crate::routing::Plan;
use crate::sip::Hop;
use crate::sip::locate::{Destination, Reach, TTL_MAX};
use crate::switchboard::trunks::destinations;
use dns::Dns;
use watch::Watch;

/// How long things take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// One question, with its repetitions.
    pub question: Duration,
    /// Answers are asked for again after this, however long they are good.
    pub age_max: Duration,
    /// After a failure; doubles with each.
    pub retry_first: Duration,
    /// The longest pause between two tries.
    pub retry_max: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Pace {
            question: Duration::from_secs(5),
            age_max: TTL_MAX,
            retry_first: Duration::from_secs(2),
            retry_max: Duration::from_secs(300),
        }
    }
}

/// The hops of a trunk's names have changed, or are known for the first time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Whose.
    pub trunk: TrunkId,
    /// The first tried first; never empty.
    pub hops: Vec<Hop>,
    /// Which watch found them: one that the plan has ended since is not to be believed.
    watch: u64,
}

/// Takes what is found.
pub type Tell = Arc<dyn Fn(News) + Send + Sync>;

struct Watched {
    id: u64,
    targets: Vec<Destination>,
    task: AbortHandle,
}

/// The watches over all names, one task a trunk; they end with it.
pub struct Resolver {
    worker: Handle,
    reach: Reach,
    pace: Pace,
    dice: Dice,
    tell: Tell,
    servers: Option<Vec<SocketAddr>>,
    dns: Dns,
    watched: BTreeMap<TrunkId, Watched>,
    next_id: u64,
}

impl Resolver {
    /// Watches nothing yet. `reach`: what our listeners can send to.
    pub fn new(worker: Handle, reach: Reach, pace: Pace, dice: Dice, tell: Tell) -> Self {
        Resolver {
            worker,
            reach,
            pace,
            dice,
            tell,
            servers: None,
            dns: Dns::default(),
            watched: BTreeMap::new(),
            next_id: 0,
        }
    }

    /// A plan, the first or a new one: names that it does not have are forgotten, new ones looked up
    /// at once, and the others left as they are unless the name servers are others.
    pub fn follow(&mut self, plan: &Plan) {
        if self.servers.as_ref() != Some(&plan.network.dns) {
            self.servers = Some(plan.network.dns.clone());
            self.dns = Dns::by(&plan.network.dns, &self.worker);
            self.watched.values().for_each(|watched| watched.task.abort());
            self.watched.clear();
        }
        let mut wanted: BTreeMap<TrunkId, Vec<Destination>> = BTreeMap::new();
        for trunk in plan.trunks.values().filter(|trunk| trunk.targets.iter().any(|one| one.ip().is_none())) {
            wanted.insert(trunk.id.clone(), destinations(trunk));
        }
        self.watched.retain(|trunk, watched| {
            let stays = wanted.get(trunk) == Some(&watched.targets);
            if !stays {
                watched.task.abort();
            }
            stays
        });
        for (trunk, targets) in wanted {
            if !self.watched.contains_key(&trunk) {
                self.watch(trunk, targets);
            }
        }
    }

    fn watch(&mut self, trunk: TrunkId, targets: Vec<Destination>) {
        self.next_id += 1;
        let (id, tell) = (self.next_id, self.tell.clone());
        let whose = trunk.clone();
        let watch = Watch {
            trunk: trunk.clone(),
            targets: targets.clone(),
            reach: self.reach.clone(),
            pace: self.pace,
            dns: self.dns.clone(),
            dice: self.dice.split(),
            tell: Box::new(move |hops| tell(News { trunk: whose.clone(), hops, watch: id })),
        };
        let task = self.worker.spawn(watch.run()).abort_handle();
        self.watched.insert(trunk, Watched { id, targets, task });
    }

    /// Whether news is of a watch that still stands: it may have been on its way when the plan changed.
    pub fn stands(&self, news: &News) -> bool {
        self.watched.get(&news.trunk).is_some_and(|watched| watched.id == news.watch)
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.watched.values().for_each(|watched| watched.task.abort());
    }
}
