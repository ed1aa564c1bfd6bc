//! What has been used against STARTTLS: every dialogue in one segment and byte by byte, and no credential in clear.

use super::*;
use futures_util::future::join_all;

/// What must come of a dialogue.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Fails(Code),
    /// The connection is made, over TLS.
    Opens,
}
use Outcome::{Fails, Opens};

const LOGIN: &str = "TLS
    C: CAPABILITY
    S: * CAPABILITY IMAP4rev1
    S: {tag} OK done
    C: LOGIN \"ada-7\" \"planted-password\"
    S: {tag} OK [CAPABILITY IMAP4rev1 IDLE] in";

fn injections() -> Vec<(String, Outcome)> {
    let begin = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi\nC: STARTTLS\n";
    let same_segment = [
        "S: {tag} OK go\nS: * OK injected",
        "S: {tag} OK go\nS: * BYE injected",
        "S: {tag} OK go\nS: * OK [ALERT] call 555",
        "S: {tag} OK go\nS: * PREAUTH injected",
        "S: {tag} OK go\nS: * CAPABILITY IMAP4rev1 AUTH=PLAIN",
        "S: {tag} OK go\nS: A0001 OK injected\nS: A0002 OK injected",
        "S: {tag} OK go\nS: \nS: \nS: ",
    ];
    let later = ["S: {tag} OK go\nHELLO\nS: * OK injected", "S: {tag} OK go\nHELLO\nS: A0001 OK in\nS: A0002 OK in"];
    let injected = same_segment.iter().chain(&later).map(|s| (format!("{begin}{s}"), Fails(Code::NetTampered)));
    let harmless = ["* OK [ALERT] call 555", "* NO [ALERT] call 555", "* OK [BADCHARSET] x", "* OK [PARSE] x"];
    let notices = harmless.iter().map(|s| (format!("{begin}S: {s}\nS: {{tag}} OK go\n{LOGIN}"), Opens));
    injected.chain(notices).collect()
}

fn negotiation() -> Vec<(String, Outcome)> {
    let offer = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi\nC: STARTTLS\n";
    let asked = |caps: &str| format!("S: * OK hi\nC: CAPABILITY\nS: * CAPABILITY {caps}\nS: {{tag}} OK done\n");
    let mut cases = vec![
        ("S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi".to_owned(), Fails(Code::ServerUnsupported)),
        (asked("IMAP4rev1 AUTH=PLAIN AUTH=LOGIN"), Fails(Code::ServerUnsupported)),
        (asked("IMAP4"), Fails(Code::ServerUnsupported)),
        ("S: * OK hi\nC: CAPABILITY\nS: {tag} OK done".to_owned(), Fails(Code::ServerUnsupported)),
        ("S: * OK hi\nC: CAPABILITY\nS: {tag} BAD what".to_owned(), Fails(Code::ServerUnsupported)),
        ("S: * OK hi\nC: CAPABILITY\nS: + go on".to_owned(), Fails(Code::ServerProtocol)),
        (format!("{offer}S: {{tag}} NO call 555"), Fails(Code::ServerRefused)),
        (format!("{offer}S: {{tag}} BAD call 555"), Fails(Code::ServerRefused)),
        (format!("{offer}S: {{tag}} NO [REFERRAL imap://evil.example/] call 555"), Fails(Code::ServerRefused)),
        (format!("{offer}S: + go on"), Fails(Code::ServerProtocol)),
        (format!("{offer}S: * BYE [ALERT] call 555"), Fails(Code::ServerBye)),
        (format!("{offer}S: {{tag}} OK go\n{LOGIN}"), Opens),
        (format!("{}C: STARTTLS\nS: {{tag}} OK go\n{LOGIN}", asked("IMAP4rev1 STARTTLS")), Opens),
        (format!("{}C: STARTTLS\nS: {{tag}} OK go\n{LOGIN}", asked("IMAP4rev1 STARTTLS\nS: * OK notice")), Opens),
        (format!("{}S: {{tag}} OK go\n{LOGIN}", offer.replace("hi", "[REFERRAL imap://evil.example/] hi")), Opens),
    ];
    let sets =
        ["", "IMAP4rev1", "IMAP4rev1 STARTTLS", "IMAP4rev1 AUTH=PLAIN", "STARTTLS LOGINDISABLED", "IMAP4rev1 IDLE"];
    cases.extend(sets.map(|set| (format!("S: * PREAUTH [CAPABILITY {set}] in"), Fails(Code::NetTampered))));
    let greetings = [
        ("A1 OK hi", Code::ServerProtocol),
        ("OK hi", Code::ServerProtocol),
        ("hello", Code::ServerProtocol),
        ("220 mail.example.org ESMTP", Code::ServerProtocol),
        ("+OK POP3", Code::ServerProtocol),
        ("* NO call 555", Code::ServerProtocol),
        ("* BAD call 555", Code::ServerProtocol),
        ("* LIST () \"/\" a", Code::ServerProtocol),
        ("* BYE call 555", Code::ServerBye),
        ("* BYE [REFERRAL imap://evil.example/] call 555", Code::ServerBye),
    ];
    cases.extend(greetings.map(|(greeting, code)| (format!("S: {greeting}"), Fails(code))));
    cases
}

fn tampering() -> Vec<(String, Outcome)> {
    let data = [
        "LIST () \"/\" \"Click me\"",
        "LSUB () \"/\" a",
        "STATUS INBOX (MESSAGES 1)",
        "STATUS \"call 555\" (UNSEEN 1)",
        "SEARCH 1 2",
        "FLAGS (\\Seen)",
        "1 EXISTS",
        "1 RECENT",
        "1 EXPUNGE",
        "1 FETCH (FLAGS (\\Seen))",
        "ENABLED UTF8=ACCEPT",
        "NAMESPACE NIL NIL NIL",
        "ID NIL",
        "PREAUTH in",
        "XUNKNOWN 1",
        "REFERRAL imap://evil.example/",
    ];
    let tags = ["A0001", "A0002", "A1", "a1", "a001", "1", "0", "A", "tag", "S1", "S2", "L1"];
    let lines = data.map(|d| format!("* {d}")).into_iter().chain(tags.map(|t| format!("{t} OK done")));
    let lines = lines.chain(["OK done".to_owned(), "[ALERT] call 555".to_owned()]);
    let places = |line: String| {
        [
            format!("S: * OK hi\nS: {line}"),
            format!("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi\nS: {line}"),
            format!("S: * OK hi\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1 STARTTLS\nS: {line}\nS: {{tag}} OK done"),
            format!("S: * OK [CAPABILITY STARTTLS] hi\nC: STARTTLS\nS: {line}\nS: {{tag}} OK go"),
        ]
    };
    let mut cases: Vec<_> = lines.flat_map(places).map(|script| (script, Fails(Code::NetTampered))).collect();
    let greet = "S: * OK [CAPABILITY STARTTLS] hi\nC: STARTTLS\n";
    cases.push((format!("{greet}S: * LIST () \"/\" {{99999999999}}"), Fails(Code::LimitExceeded)));
    cases.push((format!("{greet}S: * LIST ((((((("), Fails(Code::NetTampered)));
    cases
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_known_attack_gets_a_credential_or_a_session() {
    let cases: Vec<_> = [injections(), negotiation(), tampering()].concat();
    assert!(cases.len() >= 130, "{} dialogues", cases.len());
    let both = cases.iter().flat_map(|case| [(case, Pace::Whole), (case, Pace::Bytewise)]);
    let mut runs = both.map(|((script, outcome), pace)| async move {
        let (result, clear) = play(script, pace, Security::StartTls, password()).await;
        check(script, *outcome, &result, &clear);
    });
    // A few at a time: the listening sockets of all would be many.
    loop {
        let some: Vec<_> = runs.by_ref().take(32).collect();
        if some.is_empty() {
            break;
        }
        join_all(some).await;
    }
}

fn check(script: &str, outcome: Outcome, result: &Result<Opened>, clear: &[u8]) {
    match (result, outcome) {
        (Err(error), Fails(code)) => {
            assert_eq!(error.code(), code, "{error}\n{script}");
            assert!(!format!("{error:?}").contains("call 555"), "{error:?}\n{script}");
        }
        (Ok(opened), Opens) => {
            assert!(opened.stream.is_tls() && opened.capabilities.has("IDLE"), "{script}");
            assert!(opened.greeting.is_empty() && opened.untagged.is_empty(), "{script}");
        }
        (result, outcome) => panic!("{result:?} is not {outcome:?}\n{script}"),
    }
    // Nothing that only a user could know, and no command but the two.
    let heard = String::from_utf8_lossy(clear);
    assert!(!heard.contains("ada-7") && !heard.contains("planted") && !heard.contains("LOGIN"), "{heard}\n{script}");
    assert!(!heard.contains("AUTHENTICATE") && !heard.contains("YWRh"), "{heard}\n{script}");
}

#[tokio::test]
async fn what_was_offered_in_clear_is_forgotten() {
    let script = "S: * OK [CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN] hi
        C: STARTTLS
        S: {tag} OK [CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-256] go
        TLS
        C: CAPABILITY
        S: * CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=XOAUTH2
        S: {tag} OK done";
    let (result, _) = play(script, Pace::Whole, Security::StartTls, password()).await;
    let error = result.unwrap_err();
    assert_eq!(error.code(), Code::AuthNoMechanism);
    assert_eq!(error.context().hint.as_deref(), Some("It offers XOAUTH2"));
}

#[tokio::test]
async fn tags_cannot_be_foreseen() {
    let script = "S: * OK [CAPABILITY STARTTLS] hi\nC: STARTTLS\nS: {tag} NO";
    let (_, one) = play(script, Pace::Whole, Security::StartTls, password()).await;
    let (_, other) = play(script, Pace::Whole, Security::StartTls, password()).await;
    assert_ne!(one, other);
    assert_eq!(one.len(), "abcdefS2 STARTTLS\r\n".len());
}
