//! The facts of the house on their way to who listens: told once they are on disk, and not before.
//!
//! The control loop keeps what it gave to the store until the store says that it is there, and then puts it
//! into a ring. Who falls behind the ring, or listened too late for a batch, reads on in the store: all that
//! was put here is there.

use std::collections::VecDeque;
use std::sync::Arc;

use tokio::sync::broadcast;

use crate::switchboard::{Happened, Placed, StoreJob};

/// Facts in the ring; who is further behind reads the store.
pub const RING_FACTS: usize = 4_096;
/// Facts that wait for the store's word; while it fails, further ones are left to be read there.
const WAITING_FACTS_MAX: usize = 8_192;

/// What a listener is told.
#[derive(Clone, Debug)]
pub enum News {
    /// This is on disk.
    Fact(Arc<Placed>),
    /// More is on disk than is told here: it is to be read there.
    InStore,
}

/// Listeners subscribe here.
pub type Ring = broadcast::Sender<News>;

/// The control loop's end.
pub struct Feed {
    ring: Ring,
    /// By tokens of the store, oldest first.
    waiting: VecDeque<Batch>,
    /// Facts in it.
    held: usize,
}

struct Batch {
    token: u64,
    facts: Vec<Arc<Placed>>,
    /// Some facts of it are only in the store.
    more: bool,
}

impl Default for Feed {
    fn default() -> Self {
        Feed { ring: broadcast::channel(RING_FACTS).0, waiting: VecDeque::new(), held: 0 }
    }
}

impl Feed {
    /// Where listeners subscribe.
    pub fn ring(&self) -> Ring {
        self.ring.clone()
    }

    /// The facts in a batch, to be taken before it is given away; `None`: nobody listens, or there is no
    /// room for them.
    pub fn pick(&self, jobs: &[StoreJob]) -> Option<Vec<Arc<Placed>>> {
        let room = WAITING_FACTS_MAX.saturating_sub(self.held);
        if self.ring.receiver_count() == 0 || jobs.len() > room {
            return None;
        }
        let fact = |job: &StoreJob| match job {
            StoreJob::Fact { house, fact, .. } => {
                Some(Arc::new(Placed { house: *house, what: Happened::OnCall(fact.clone()) }))
            }
            StoreJob::Seat { house, fact } => {
                Some(Arc::new(Placed { house: *house, what: Happened::AtSeat(fact.clone()) }))
            }
            StoreJob::Settled { .. }
            | StoreJob::DeadLetter { .. }
            | StoreJob::Access { .. }
            | StoreJob::Binding { .. } => None,
        };
        Some(jobs.iter().filter_map(fact).collect())
    }

    /// The store has the batch of `token`, and tells when it is on disk. `whole`: it took all of it, and
    /// `facts` are what [`Feed::pick`] found there.
    pub fn submitted(&mut self, token: u64, facts: Option<Vec<Arc<Placed>>>, whole: bool) {
        let (facts, more) = match facts.filter(|_| whole) {
            Some(facts) if facts.is_empty() => return,
            Some(facts) => (facts, false),
            None => (Vec::new(), true),
        };
        match self.waiting.back_mut().filter(|last| more && last.more && last.facts.is_empty()) {
            Some(last) => last.token = token,
            None => {
                self.held += facts.len();
                self.waiting.push_back(Batch { token, facts, more });
            }
        }
    }

    /// Everything up to `token` is on disk.
    pub fn committed(&mut self, token: u64) {
        while let Some(batch) = self.waiting.pop_front_if(|batch| batch.token <= token) {
            self.held -= batch.facts.len();
            let told = batch.facts.into_iter().map(News::Fact);
            // An error says that nobody listens.
            told.chain(batch.more.then_some(News::InStore)).for_each(|news| drop(self.ring.send(news)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{CallId, Dice};
    use crate::switchboard::{Fact, What};
    use crate::time::{Instant, Timestamp};

    fn job(house: u64) -> StoreJob {
        let call = CallId::draw(house, &mut Dice::seeded(house));
        let what = What::Answered { durable: true };
        let fact = Fact { call, sequence: 2, at: Timestamp::UNIX_EPOCH, mono: Instant::ZERO, what };
        StoreJob::Fact { house, fact, events: Vec::new() }
    }

    fn submit(feed: &mut Feed, token: u64, whole: bool) {
        let facts = feed.pick(&[job(token)]);
        feed.submitted(token, facts, whole);
    }

    /// Places told, 0 for a word that more is in the store.
    fn told(listener: &mut broadcast::Receiver<News>) -> Vec<u64> {
        let news = std::iter::from_fn(|| listener.try_recv().ok());
        news.map(|news| if let News::Fact(placed) = news { placed.house } else { 0 }).collect()
    }

    #[test]
    fn a_fact_is_told_when_it_is_on_disk_and_not_before() {
        let mut feed = Feed::default();
        let mut listener = feed.ring().subscribe();
        (1..=3).for_each(|token| submit(&mut feed, token, true));
        assert_eq!(told(&mut listener), [0; 0]);
        feed.committed(2);
        assert_eq!(told(&mut listener), [1, 2]);
        feed.committed(3);
        assert_eq!(told(&mut listener), [3]);
    }

    #[test]
    fn who_comes_between_a_batch_and_its_commit_is_sent_to_the_store() {
        let mut feed = Feed::default();
        submit(&mut feed, 1, true);
        submit(&mut feed, 2, true);
        assert_eq!(feed.waiting.len(), 1, "batches that nobody hears take one place");
        let mut listener = feed.ring().subscribe();
        submit(&mut feed, 3, true);
        feed.committed(3);
        assert_eq!(told(&mut listener), [0, 3]);
    }

    #[test]
    fn what_the_store_gave_up_is_not_told() {
        let mut feed = Feed::default();
        let mut listener = feed.ring().subscribe();
        submit(&mut feed, 1, false);
        feed.committed(1);
        assert_eq!(told(&mut listener), [0]);
    }

    #[test]
    fn while_the_store_fails_a_bounded_part_is_kept() {
        let mut feed = Feed::default();
        let mut listener = feed.ring().subscribe();
        let many = 2 * WAITING_FACTS_MAX as u64;
        (1..=many).for_each(|token| submit(&mut feed, token, true));
        assert_eq!((feed.held, feed.waiting.len()), (WAITING_FACTS_MAX, WAITING_FACTS_MAX + 1));
        feed.committed(many);
        assert!(matches!(listener.try_recv(), Err(broadcast::error::TryRecvError::Lagged(_))));
        assert_eq!(told(&mut listener).last(), Some(&0));
    }
}
