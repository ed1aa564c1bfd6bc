//! The scripted server, a process that all cases share.

use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;

/// The process ends with its standard input, so nothing is left running.
pub struct Server {
    child: Mutex<Child>,
    pipes: Mutex<(ChildStdin, BufReader<ChildStdout>)>,
}

/// The folder of the cases.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/cases")
}

impl Server {
    pub fn start() -> Self {
        let script = folder().join("server.py");
        let mut child = Command::new("python3")
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the cases need python3 on the path");
        let pipes = (child.stdin.take().unwrap(), BufReader::new(child.stdout.take().unwrap()));
        Self { child: Mutex::new(child), pipes: Mutex::new(pipes) }
    }

    pub fn cases(&self) -> Vec<Value> {
        self.ask(&json!({"do": "list"}))["cases"].as_array().unwrap().clone()
    }

    /// One request; answers come in the order of the requests.
    pub fn ask(&self, request: &Value) -> Value {
        let mut pipes = self.pipes.lock().unwrap();
        let mut request = request.clone();
        request["id"] = json!(0);
        writeln!(pipes.0, "{request}").unwrap();
        let mut line = String::new();
        pipes.1.read_line(&mut line).unwrap();
        serde_json::from_str(&line).expect("the scripted server has ended; what it printed says why")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.lock().unwrap().kill();
        let _ = self.child.lock().unwrap().wait();
    }
}
