//! Large bodies: broken off and gone on with, stopped by the budget of a day, and read by pieces at a gateway.

use super::assert_in_step;
use super::cut::{Proxy, Way};
use super::world::{Device, Server, dated, mail};
use mailtide::server::ServerOptions;
use mailtide::store::{Keep, KeepRule};
use mailtide::sync::SyncOptions;
use mailtide::{
    Account, AppendSource, Credentials, Engine, EngineOptions, FetchOptions, Mail, MailOptions, Messages, Security,
    Selection, Session,
};
use std::net::SocketAddr;

/// Bytes of a stretch, and how many are under way at once.
const STRETCH: u64 = 512 << 10;
const AHEAD: u64 = 3;

/// A message of about 12 MiB, of which no two stretches are alike.
fn large() -> Vec<u8> {
    let lines = (0..900_000).flat_map(|n: u32| format!("{:012}\r\n", n.wrapping_mul(2_654_435_761)).into_bytes());
    mail(1).into_iter().chain(lines).collect()
}

async fn deliver(server: &Server, user: &str) -> u64 {
    let (live, raw) = (server.session(user, &[]).await, large());
    let size = raw.len() as u64;
    live.mailbox("INBOX").unwrap().append(AppendSource::Bytes(raw.into()), dated(1)).await.unwrap();
    size
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_body_goes_on_from_where_it_was_broken_off() {
    let Some(server) = Server::start() else { return };
    let size = deliver(&server, "broken").await;
    let mut device = Device::new(&server, "broken", &[]).await;
    let proxy = Proxy::start(server.port).await;
    let mut at = 0..1;
    for part in [5_000_000, 4_000_000] {
        device.session = server.session_at(proxy.port, "broken", &[]).await;
        proxy.cut(Way::FromServer, part);
        device.try_sync().await.unwrap_err();
        let came = proxy.offsets()[0];
        proxy.cut(Way::FromServer, u64::MAX);
        assert!(at.contains(&came) && came.is_multiple_of(STRETCH), "{came} of {at:?}");
        // What is lost is what was under way: Dovecot may begin an answer before it says OK to the one before.
        at = came + part - AHEAD * STRETCH - 50_000..came + part;
    }
    device.session = server.session_at(proxy.port, "broken", &[]).await;
    proxy.cut(Way::FromServer, u64::MAX);
    let report = device.sync().await;
    let offsets = proxy.offsets();
    let came = offsets[0];
    assert!(report.total.bodies == 1 && at.contains(&came), "{came} of {at:?}");
    assert!(offsets.windows(2).all(|two| two[1] == two[0] + STRETCH), "{offsets:?}");
    assert!(proxy.went(Way::FromServer) < size - came + 50_000);
    assert_in_step(&server, &device).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_budget_of_a_day_stops_a_large_body_and_the_next_day_goes_on() {
    let Some(server) = Server::start() else { return };
    let size = deliver(&server, "days").await;
    let device = Device::new(&server, "days", &[]).await;
    let today = async || device.sync_with(|options| options.bytes_a_day = Some(5_000_000)).await.total;
    for _ in 0..2 {
        let (first, again) = (today().await, today().await);
        // The header is counted as well where it came.
        assert_eq!((first.bodies, first.bytes / 10_000, again.bodies, again.bytes), (0, 500, 0, 0));
        device.later(86_400);
    }
    let last = today().await;
    assert_eq!((last.bodies, last.bytes), (1, size - 10_000_000));
    assert_in_step(&server, &device).await;
}

async fn connect(mut account: Account, address: SocketAddr) -> Session {
    (account.port, account.security) = (address.port(), Security::Cleartext);
    let engine = Engine::new(EngineOptions::default(), tokio::runtime::Handle::current());
    engine.connect(account).await.unwrap()
}

/// The whole of the one message in INBOX, as it comes in pieces.
async fn streamed(mut messages: Messages) -> Vec<u8> {
    let messages = messages.next_batch().await.unwrap().unwrap();
    let (mut stream, mut content) = (messages[0].stream(None).unwrap(), Vec::new());
    while let Some(piece) = stream.next().await.unwrap() {
        content.extend_from_slice(&piece);
    }
    content
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_fetches_a_large_body_once_however_it_is_read() {
    let Some(server) = Server::start() else { return };
    let size = deliver(&server, "pieces").await;
    let proxy = Proxy::start(server.port).await;
    let mut account = server.account("pieces");
    account.port = proxy.port;
    let keep = KeepRule { keep: Keep::Headers, days: None, largest: None };
    let options = MailOptions { account: Some(account), keep: Some(keep), ..MailOptions::default() };
    let folder = tempfile::tempdir().unwrap();
    let here = Mail::open(folder.path().join("ada.mail"), options).await.unwrap();
    here.sync(SyncOptions::default()).await.unwrap();
    let mut options = ServerOptions::default();
    options.user = Some(("ada".to_owned(), "secret".into()));
    let gateway = here.serve(options).await.unwrap();
    proxy.cut(Way::FromServer, u64::MAX);

    let account = Account::new("127.0.0.1", "ada", Credentials::Password("secret".into()));
    let client = connect(account, gateway.address()).await;
    let inbox = client.mailbox("INBOX").unwrap();
    for _ in 0..2 {
        assert!(
            streamed(inbox.fetch(Selection::All, FetchOptions::default())).await == large(),
            "BODY[]<n.m>, some at once"
        );
    }
    let once = proxy.went(Way::FromServer);
    assert!((size..size + 50_000).contains(&once), "{once} bytes of {size}");

    // Against the rule of what is held it stays until it is let go.
    assert_eq!(here.evict(0).await.unwrap().bodies, 1);
    let own = here.mailbox("INBOX").unwrap();
    assert!(streamed(own.fetch(Selection::All, FetchOptions::default())).await == large());
    assert!((2 * size..2 * size + 100_000).contains(&proxy.went(Way::FromServer)));
    client.close().await.unwrap();
    gateway.close().await;
    here.close().await.unwrap();
}
