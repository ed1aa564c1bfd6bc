//! Calls of a case on servers of ours: one over its store, and the server for tests.

use crate::call::{Caller, flags, target};
use crate::json;
use mailtide::server::{ServerOptions, TokenCheck};
use mailtide::testing::{Fault, FaultKind, Server, TestOptions};
use mailtide::{Code, Result, Secret, Target};
use serde_json::{Value, json as value};
use std::collections::HashMap;
use std::future::ready;
use std::sync::Arc;
use std::time::Duration;

/// The one token of each user; `raise` is an issuer that is out of order.
struct Issuer(HashMap<String, String>);

impl TokenCheck for Issuer {
    fn allows<'a>(&'a self, user: &'a str, token: &'a Secret) -> futures_util::future::BoxFuture<'a, Result<bool>> {
        Box::pin(ready(match self.0.get(user).map(String::as_str) {
            Some("raise") => Err(Code::NetTimeout.into()),
            known => Ok(known == Some(token.reveal())),
        }))
    }
}

impl Caller {
    /// The server of the case's header; the case connects to it.
    pub async fn start(&mut self, given: &Value) {
        let mut options = TestOptions::default();
        for (mailbox, letters) in given["mail"].as_object().into_iter().flatten() {
            let letters = letters.as_array().unwrap().iter().map(|letter| letter.as_str().unwrap().into());
            options.mail.push((mailbox.clone(), letters.collect()));
        }
        (options.without, options.quirks) = (words(&given["without"]), words(&given["quirks"]));
        let server = Server::start(options).await.unwrap();
        self.port = server.address().port();
        self.tested = Some(server);
    }

    /// Serves the store; what connects from here on connects to it.
    async fn serve(&mut self, args: &Value) -> Result<Value> {
        let word = |name: &str| args[name].as_str();
        let options = ServerOptions::default().with_address(word("address").unwrap_or("127.0.0.1:0"))?;
        let mut options = options.with_login(word("user").map(str::to_owned), word("password").map(Into::into))?;
        options.users = by_name(&args["users"]).map(|(name, password)| (name, password.into())).collect();
        if !args["tokens"].is_null() {
            options.tokens = Some(Arc::new(Issuer(by_name(&args["tokens"]).collect())));
        }
        let serving = self.mail.as_ref().expect("a store is open").serve(options).await?;
        self.port = serving.address().port();
        self.serving = Some(serving);
        Ok(Value::Null)
    }

    pub async fn server(&mut self, verb: &str, args: &Value) -> Result<Value> {
        if verb == "start" {
            return self.serve(args).await;
        }
        if let (Some(serving), "close") = (&self.serving, verb) {
            serving.close().await;
            return Ok(Value::Null);
        }
        if self.serving.is_some() {
            return self.users(verb, args).await;
        }
        let server = self.tested.as_ref().expect("the case has a server");
        let mailbox = || if args["in"].is_null() { Target::from("INBOX") } else { target(&args["in"]) };
        match verb {
            "deliver" => {
                let letter = args["content"].as_str().unwrap();
                server.deliver(mailbox(), letter, &flags(&args["flags"])?).await.map(Value::from)
            }
            "messages" => Ok(server.messages(mailbox()).await?.iter().map(json::message).collect()),
            "fault" => server.fault(fault(args)).map(Value::from),
            "commands" => {
                let word = args["with"].as_str().unwrap();
                Ok(server.commands().into_iter().filter(|command| command.contains(word)).map(Value::from).collect())
            }
            "close" => server.close().await.map(Value::from),
            other => panic!("no such call: server.{other}"),
        }
    }
}

impl Caller {
    /// Who may log in to what serves the store.
    async fn users(&mut self, verb: &str, args: &Value) -> Result<Value> {
        let users = self.serving.as_ref().expect("the store is served").users();
        let word = |name: &str| args[name].as_str().unwrap_or_default();
        match verb {
            "users" => {
                let one = |user: mailtide::server::ServerUser| value!({"name": user.name, "disabled": user.disabled});
                Ok(users.all().await?.into_iter().map(one).collect())
            }
            "set_user" => users.set(word("name"), word("password").into()).await.map(Value::from),
            "disable_user" => {
                users.disable(word("name"), args["disabled"].as_bool().unwrap_or(true)).await.map(Value::from)
            }
            "remove_user" => users.remove(word("name")).await.map(Value::from),
            "app_passwords" => {
                let all = users.app_passwords(word("user")).await?;
                Ok(all.into_iter().map(|one| value!({"label": one.label})).collect())
            }
            "add_app_password" => {
                self.made = users.add_app_password(word("user"), word("label")).await?.reveal().to_owned();
                Ok(Value::Null)
            }
            "revoke_app_password" => users.revoke_app_password(word("user"), word("label")).await.map(Value::from),
            other => panic!("no such call: server.{other}"),
        }
    }
}

fn by_name(given: &Value) -> impl Iterator<Item = (String, String)> {
    let pairs = given.as_object().into_iter().flatten();
    pairs.map(|(name, text)| (name.clone(), text.as_str().unwrap().to_owned()))
}

fn words(given: &Value) -> Vec<String> {
    given.as_array().into_iter().flatten().map(|word| word.as_str().unwrap().to_owned()).collect()
}

fn fault(args: &Value) -> Fault {
    let text = || args["text"].as_str().unwrap_or("No").to_owned();
    let kind = match args["kind"].as_str().unwrap() {
        "cut" => FaultKind::Cut,
        "delay" => FaultKind::Delay(Duration::from_secs_f64(args["delay"].as_f64().unwrap())),
        "no" => FaultKind::No(text()),
        "bad" => FaultKind::Bad(text()),
        "garbage" => FaultKind::Garbage(args["data"].as_str().unwrap().to_owned().into()),
        other => panic!("no such fault: {other}"),
    };
    Fault {
        kind,
        command: args["command"].as_str().map(str::to_owned),
        nth: args["nth"].as_u64().map_or(1, |nth| u32::try_from(nth).unwrap()),
        after: args["after"].as_u64().map(|after| usize::try_from(after).unwrap()),
    }
}

#[test]
fn a_fault_is_read_from_a_case() {
    let read = fault(&value!({"kind": "cut", "command": "FETCH", "nth": 2, "after": 5}));
    assert_eq!(read, Fault { nth: 2, after: Some(5), ..Fault::at("FETCH", FaultKind::Cut) });
}
