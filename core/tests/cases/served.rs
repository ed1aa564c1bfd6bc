//! Calls of a case on servers of ours: one over its store, and the server for tests.

use crate::call::{Caller, flags, target};
use crate::json;
use mailtide::server::ServerOptions;
use mailtide::testing::{Fault, FaultKind, Server, TestOptions};
use mailtide::{Result, Target};
use serde_json::{Value, json as value};
use std::time::Duration;

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
        let options = options.with_login(word("user").map(str::to_owned), word("password").map(Into::into))?;
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
