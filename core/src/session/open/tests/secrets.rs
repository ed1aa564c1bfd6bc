//! A planted secret is looked for in everything that a program might write down.

use super::*;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use futures_util::FutureExt;
use std::sync::{Arc, Mutex};

/// Only this test knows it, so that what other tests log does not matter.
const SECRET: &str = "xyzzy-5ecret-9";

#[tokio::test]
async fn a_secret_is_in_no_log_error_or_debug() {
    testing::record_logs();
    let dialogues = [
        ("", format!("C: LOGIN \"ada-7\" \"{SECRET}\"")),
        ("AUTH=PLAIN", format!("C: AUTHENTICATE PLAIN\nS: +\nc: <<\0ada-7\0{SECRET}>>")),
        ("AUTH=PLAIN SASL-IR", format!("C: AUTHENTICATE PLAIN <<\0ada-7\0{SECRET}>>")),
        ("AUTH=LOGIN LOGINDISABLED", format!("C: AUTHENTICATE LOGIN\nS: +\nc: <<ada-7>>\nS: +\nc: <<{SECRET}>>")),
    ];
    let answers = [
        "S: {tag} OK in\nC: CAPABILITY\nS: * CAPABILITY IMAP4rev1\nS: {tag} OK done".to_owned(),
        format!("S: * OK you said {SECRET}\nS: {{tag}} NO you said {SECRET}"),
        format!("S: {{tag}} BAD you said {SECRET}"),
        format!("S: * BYE you said {SECRET}\nCLOSE"),
        format!("S: A0001 OK you said {SECRET}"),
        format!("S: {{tag}} what? {SECRET}"),
    ];
    let mut written = String::new();
    for (capabilities, dialogue) in &dialogues {
        for answer in &answers {
            for credentials in [Credentials::Password(SECRET.into()), token(), asked()] {
                let capabilities = match credentials.kind() {
                    CredentialKind::Token => "AUTH=XOAUTH2 SASL-IR",
                    CredentialKind::Password => capabilities,
                };
                let bearer = format!("C: AUTHENTICATE XOAUTH2 <<user=ada-7\x01auth=Bearer {SECRET}\x01\x01>>");
                let dialogue = if credentials.kind() == CredentialKind::Token { &bearer } else { dialogue };
                written.push_str(&run(capabilities, dialogue, answer, credentials).await);
            }
        }
    }
    assert!(written.contains("<user> <password>") && written.contains("auth.rejected"), "{written}");
    let logged = testing::logged();
    assert!(logged.contains("async_imap") && logged.contains("rustls"), "the recorder records nothing");
    let forms = [
        SECRET.to_owned(),
        STANDARD_NO_PAD.encode(SECRET),
        STANDARD.encode(format!("\0ada-7\0{SECRET}")),
        STANDARD.encode(format!("user=ada-7\x01auth=Bearer {SECRET}\x01\x01")),
    ];
    for form in forms {
        assert!(!logged.contains(&form), "{form} is in the log");
        assert!(!written.contains(&form), "{form} is in {written}");
    }
}

/// Everything that a program might write down of one connection.
async fn run(capabilities: &str, dialogue: &str, answer: &str, credentials: Credentials) -> String {
    let script = format!("TLS\nS: * OK [CAPABILITY IMAP4rev1 {capabilities}] hi\n{dialogue}\n{answer}");
    let server = Server::start_many(&[script.clone(), script], Pace::Whole, Authority::shared().good()).await;
    let account = account(&server, Security::Tls, credentials);
    let lines = Arc::new(Mutex::new(String::new()));
    let log: LineLog = {
        let lines = Arc::clone(&lines);
        Arc::new(move |sent, line| lines.lock().unwrap().push_str(&format!("{sent} {line}\n")))
    };
    let result = tokio::time::timeout(Duration::from_secs(25), open(&account, Some(log))).await.unwrap();
    let shown = match &result {
        Ok(opened) => format!("{opened:?}"),
        Err(error) => format!("{error} {error:?} {:?}", error.context()),
    };
    format!("{shown}\n{account:?}\n{}", lines.lock().unwrap())
}

fn token() -> Credentials {
    Credentials::Token(Arc::new(|_| async { Ok(crate::Token { secret: SECRET.into(), expires_at: None }) }.boxed()))
}

fn asked() -> Credentials {
    Credentials::PasswordCallback(Arc::new(|_| async { Ok(SECRET.into()) }.boxed()))
}
