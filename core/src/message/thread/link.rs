//! The thread of a message that arrives.

use super::ids::message_ids;
use crate::message::Headers;
use std::collections::BTreeSet;

/// What the arrival of a message does to threads.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// The thread it belongs to; `None`: it begins one.
    pub thread: Option<i64>,
    /// Threads that turn out to be part of that one; none of them is left.
    pub merged: Vec<i64>,
}

/// The ids by which a message hangs together with others: its own first, where it has one, then all that it names,
/// each once.
#[must_use]
pub fn thread_ids(headers: &Headers) -> Vec<String> {
    let mut ids = Vec::new();
    for name in ["Message-ID", "References", "In-Reply-To"] {
        for id in headers.get_raw(name).map(message_ids).unwrap_or_default() {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
    }
    ids
}

/// The thread of a message, given the threads of messages that have or name any of its [`thread_ids`]: one for each id
/// is enough, since all messages that have or name the same id are in one thread already.
///
/// The oldest thread (the smallest id) takes in the others. A thousand messages of the same id are one thread, at no
/// higher cost; what names nothing and is named by nothing is a thread of its own.
///
/// ```
/// use mailtide::message::arrive;
///
/// assert_eq!(arrive([]).thread, None);
/// let arrival = arrive([7, 3, 7, 9]);
/// assert_eq!((arrival.thread, arrival.merged), (Some(3), vec![7, 9]));
/// ```
#[must_use]
pub fn arrive(threads: impl IntoIterator<Item = i64>) -> Arrival {
    let mut threads: BTreeSet<i64> = threads.into_iter().collect();
    Arrival { thread: threads.pop_first(), merged: threads.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    /// A store, as far as threads go.
    #[derive(Default)]
    struct Threads {
        of_id: BTreeMap<String, i64>,
        of_message: BTreeMap<usize, i64>,
    }

    impl Threads {
        fn add(&mut self, message: usize, ids: &[String]) {
            let arrival = arrive(ids.iter().filter_map(|id| self.of_id.get(id).copied()));
            let thread = arrival.thread.unwrap_or(self.of_message.len() as i64);
            for slot in self.of_id.values_mut().chain(self.of_message.values_mut()) {
                if arrival.merged.contains(slot) {
                    *slot = thread;
                }
            }
            self.of_id.extend(ids.iter().map(|id| (id.clone(), thread)));
            self.of_message.insert(message, thread);
        }

        /// The messages of each thread.
        fn groups(&self) -> BTreeSet<Vec<usize>> {
            let mut groups: BTreeMap<i64, Vec<usize>> = BTreeMap::new();
            self.of_message.iter().for_each(|(message, thread)| groups.entry(*thread).or_default().push(*message));
            groups.into_values().collect()
        }
    }

    /// All at once: whoever shares an id, directly or through others.
    fn together(messages: &[Vec<String>]) -> BTreeSet<Vec<usize>> {
        let mut label: Vec<usize> = (0..messages.len()).collect();
        loop {
            let before = label.clone();
            for (a, x) in messages.iter().enumerate() {
                for (b, y) in messages.iter().enumerate() {
                    if x.iter().any(|id| y.contains(id)) {
                        label[a] = label[a].min(label[b]);
                    }
                }
            }
            if before == label {
                break;
            }
        }
        let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        label.iter().enumerate().for_each(|(message, label)| groups.entry(*label).or_default().push(message));
        groups.into_values().collect()
    }

    proptest! {
        #[test]
        fn any_order_of_arrival_gives_the_threads_of_all_at_once(
            (messages, order) in prop::collection::vec(prop::collection::vec("[a-p]", 0..4), 1..16)
                .prop_flat_map(|messages| {
                    let order = Just((0..messages.len()).collect::<Vec<_>>()).prop_shuffle();
                    (Just(messages), order)
                }),
        ) {
            let mut threads = Threads::default();
            for message in order {
                threads.add(message, &messages[message]);
            }
            prop_assert_eq!(threads.groups(), together(&messages));
        }
    }

    #[test]
    fn a_thousand_messages_of_one_id_are_one_thread() {
        let mut threads = Threads::default();
        (0..1000).for_each(|message| threads.add(message, &["same@x".to_owned()]));
        assert_eq!(threads.groups().len(), 1);
    }

    #[test]
    fn ids_are_the_own_one_and_all_that_are_named() {
        let headers = Headers::parse(
            &b"References: <a@x> <b@x>\r\nMessage-ID: <c@x>\r\nIn-Reply-To: your mail <b@x> of <d@x>\r\n\r\n"[..],
        );
        assert_eq!(thread_ids(&headers), ["c@x", "a@x", "b@x", "d@x"]);
        assert!(thread_ids(&Headers::parse(&b"Subject: x\r\n\r\n"[..])).is_empty());
    }
}
