//! Every reason for which a change can be parked is reached, on a real Dovecot; what is parked is said with its reason,
//! holds nobody up, and once dropped both sides are the same again.
//!
//! Without Dovecot (`tests/servers/setup`) this says so and passes: `tests/servers` is what requires it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

#[path = "parked/refuse.rs"]
mod refuse;
#[allow(dead_code)]
#[path = "sync/world.rs"]
mod world;

use mailtide::imap::{Flag, UidSet};
use mailtide::journal::{Reason, State};
use mailtide::store::{Flags, IntentId, change};
use mailtide::sync::parked;
use mailtide::{AppendSource, CreateOptions, Session};
use refuse::{Fault, Refuser};
use world::{Device, Server, mail};

/// A device that reaches its server through something that refuses, and the server itself by another session.
struct Scene {
    server: Server,
    refuser: Refuser,
}

fn set(text: &str) -> UidSet {
    text.parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_reason_for_parking_is_reached_said_and_dropped() {
    let Some(server) = Server::start() else { return };
    let refuser = Refuser::start(server.port).await;
    let scene = Scene { server, refuser };
    for reason in Reason::ALL {
        scene.refuser.set(Fault::None);
        let user = reason.as_str();
        let live = scene.server.session(user, &[]).await;
        live.create_mailbox("Box", CreateOptions::default()).await.unwrap();
        put(&live, "Box", &[1, 2]).await;
        put(&live, "INBOX", &[3, 4]).await;
        let mut device = Device::new(&scene.server, user, &[]).await;
        device.sync().await;
        scene.reach(*reason, &mut device, &live).await;

        let all = device.pending().await;
        let entry = all.iter().find(|entry| matches!(entry.state, State::Parked { .. })).unwrap_or_else(|| {
            panic!("nothing is parked for {reason:?}: {all:?}");
        });
        let State::Parked { reason: found, .. } = &entry.state else { panic!() };
        assert_eq!(found, reason, "{:?}", entry.state);
        assert!(entry.state.to_string().starts_with(&format!("parked: {}", reason.sentence())));

        // Nobody else is held up.
        scene.refuser.set(Fault::None);
        let inbox = device.id("INBOX").await;
        device.local(move |w, now| change::flag(w, inbox, &set("2"), &seen(), now)).await;
        assert_eq!(device.sync().await.total.applied, 1, "{reason:?}");
        let id = IntentId(entry.id);
        device.local(move |w, now| parked::give_up(w, id, now)).await;
        device.sync().await;
        device.sync().await;
        assert!(device.pending().await.is_empty(), "{reason:?}");
        assert_eq!(device.contents().await, scene.server.contents(user), "{reason:?}");
    }
}

fn seen() -> change::FlagDelta {
    change::FlagDelta { add: [Flag::SEEN].iter().collect(), remove: Flags::new() }
}

async fn put(live: &Session, mailbox: &str, numbers: &[u32]) {
    for n in numbers {
        let source = AppendSource::Bytes(mail(*n).into());
        live.mailbox(mailbox).unwrap().append(source, world::dated(*n)).await.unwrap();
    }
}

async fn anew(live: &Session, mailbox: &str) {
    live.delete_mailbox(mailbox, true).await.unwrap();
    live.create_mailbox(mailbox, CreateOptions::default()).await.unwrap();
}

impl Scene {
    /// Does what ends so. The compiler sees to it that no reason is forgotten.
    async fn reach(&self, reason: Reason, device: &mut Device, live: &Session) {
        let box_ = device.id("Box").await;
        match reason {
            Reason::OverQuota => self.append(device, "NO [OVERQUOTA] Quota exceeded").await,
            Reason::TooBig => self.append(device, "NO [TOOBIG] Maximum message size exceeded").await,
            Reason::MessageRefused => self.append(device, "BAD Command Argument Error. 11").await,
            Reason::NotPermitted => {
                device.local(move |w, now| change::flag(w, box_, &set("1"), &seen(), now)).await;
                self.answer(device, " UID STORE ", "NO [NOPERM] Permission denied").await;
            }
            Reason::Refused => {
                device.local(move |w, now| change::flag(w, box_, &set("1"), &seen(), now)).await;
                self.answer(device, " UID STORE ", "NO [CANNOT] Not on Sundays").await;
            }
            Reason::ReadOnly => {
                device.local(move |w, now| change::flag(w, box_, &set("1"), &seen(), now)).await;
                self.through(device, &[], Fault::ReadOnly).await;
                device.sync().await;
            }
            Reason::TooManyTries => {
                device.local(move |w, now| change::flag(w, box_, &set("1"), &seen(), now)).await;
                self.through(device, &[], Fault::Answer(" UID STORE ", "NO [UNAVAILABLE] Try again")).await;
                for _ in 0..mailtide::journal::retry::MOST_ATTEMPTS {
                    device.later(600);
                    device.sync().await;
                }
            }
            Reason::Unsupported => {
                device.append("Box", [mail(9), vec![0]].concat(), Flags::new()).await;
                self.through(device, &["BINARY"], Fault::None).await;
                device.sync().await;
            }
            Reason::BodyMissing => {
                let uid = device.append("Box", mail(9), Flags::new()).await;
                device
                    .local(move |w, _| {
                        let message = w.placement(box_, uid)?.and_then(|row| row.message).unwrap();
                        w.set_body(message, None)
                    })
                    .await;
                device.sync().await;
            }
            Reason::Ambiguous => {
                device.append("Box", mail(9), Flags::new()).await;
                self.through(device, &[], Fault::Lose(" APPEND ")).await;
                device.try_sync().await.unwrap_err();
                put(live, "Box", &[9]).await;
                self.through(device, &[], Fault::None).await;
                device.sync().await;
            }
            Reason::LostTrack => {
                device.local(move |w, now| change::flag(w, box_, &set("1"), &seen(), now)).await;
                anew(live, "Box").await;
                // What is not found again is looked for once more in another pass.
                device.sync().await;
                device.later(600);
                device.sync().await;
            }
            Reason::Unstable => {
                for _ in 0..4 {
                    anew(live, "Box").await;
                    put(live, "Box", &[1, 2]).await;
                    device.sync().await;
                }
                device.local(move |w, now| change::flag(w, box_, &set("1"), &seen(), now)).await;
                device.sync().await;
            }
            Reason::MailboxMissing => {
                let inbox = device.id("INBOX").await;
                device.local(move |w, now| change::copy(w, inbox, &set("1"), box_, now)).await;
                live.delete_mailbox("Box", true).await.unwrap();
                device.sync().await;
            }
            Reason::MailboxExists => {
                device.local(move |w, now| change::rename(w, box_, "Other", now)).await;
                live.create_mailbox("Other", CreateOptions::default()).await.unwrap();
                device.sync().await;
            }
            Reason::MailboxChanged => {
                device.local(move |w, now| change::delete(w, box_, now)).await;
                put(live, "Box", &[9]).await;
                device.sync().await;
            }
            Reason::NameRefused => {
                device.local(|w, now| change::create(w, "no//name", (Some('/'), None), now).map(drop)).await;
                device.sync().await;
            }
        }
    }

    async fn append(&self, device: &mut Device, answer: &'static str) {
        device.append("Box", mail(9), Flags::new()).await;
        // A literal that waits to be asked for is not sent once it is refused.
        self.through(device, &["LITERAL+", "LITERAL-"], Fault::Answer(" APPEND ", answer)).await;
        device.sync().await;
    }

    async fn answer(&self, device: &mut Device, command: &'static str, answer: &'static str) {
        self.through(device, &[], Fault::Answer(command, answer)).await;
        device.sync().await;
    }

    /// Another session, in the way of which something stands.
    async fn through(&self, device: &mut Device, hidden: &[&'static str], fault: Fault) {
        self.refuser.set(fault);
        device.session = self.server.session_at(self.refuser.port, &device.user, hidden).await;
    }
}
