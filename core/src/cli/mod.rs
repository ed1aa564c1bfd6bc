//! The command line: one for the binary, the Python package and the npm package.
//!
//! ```text
//! args (by the table in commands) -> a file for each command -> values -> rows, table, text (pure) -> screen
//! ```
//!
//! [`run`] is all that others call. What a command does is what the engine does; here it is only asked for and shown.

mod args;
mod commands;
mod completion;
mod config;
mod demo;
mod doctor;
mod exit;
mod help;
mod login;
mod logins;
mod ls;
mod password;
mod pending;
mod picture;
mod restore;
mod rows;
mod screen;
mod search;
mod send;
mod serve;
mod setup;
mod show;
mod sync;
mod table;
mod text;
mod users;
mod watch;

use crate::error::{Code, MailError, Result};
use args::{Args, Wanted};
use screen::Screen;
use std::ffi::OsString;
use std::time::Duration;
use tokio::sync::watch::{Receiver, Sender};

/// How long tasks have to end after the command has.
const LEAVING: Duration = Duration::from_secs(2);

/// What every command is given.
struct Command {
    args: Args,
    screen: Screen,
    /// True once somebody has pressed Ctrl-C.
    stop: Receiver<bool>,
}

impl Command {
    /// Returns when somebody has pressed Ctrl-C.
    async fn stopped(&self) {
        // Its sender lives as long as the runtime.
        let _ = self.stop.clone().wait_for(|stopped| *stopped).await;
    }
}

/// Does what was typed after the program's name, and returns the exit code: 0 done, 1 failed, 2 usage, 3 login, 4 network,
/// 5 done in part, 130 interrupted. Output goes to the standard streams of the process. Ctrl-C and SIGTERM end it cleanly;
/// their handlers stay.
///
/// To be called where no runtime of tokio is; it makes one of its own.
#[must_use]
pub fn run(args: impl IntoIterator<Item = OsString>) -> u8 {
    let args: Vec<OsString> = args.into_iter().collect();
    // Also where the rest cannot be understood, a program wants to read the error.
    let screen = Screen::new(args.iter().any(|arg| arg == "--json"));
    let ended = match args::parse(args) {
        Ok(Wanted::Help(command)) => {
            screen.line(help::help(command, screen.width.min(100)).trim_end()).map(|()| exit::DONE)
        }
        Ok(Wanted::Version) => screen.line(concat!("mailtide ", env!("CARGO_PKG_VERSION"))).map(|()| exit::DONE),
        Ok(Wanted::Run(args)) => begin(args, screen.clone()),
        Err(error) => Err(error),
    };
    screen.clear();
    ended.unwrap_or_else(|error| {
        let exit = exit::code_of(&error);
        if error.code() != Code::Cancelled {
            screen.error(&error, exit);
        }
        exit
    })
}

fn begin(args: Args, screen: Screen) -> Result<u8> {
    let failed = |error| MailError::new(Code::Internal, format!("No runtime: {error}"));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    let (stopper, stop) = tokio::sync::watch::channel(false);
    let ended = runtime.block_on(async {
        let _listening = runtime.spawn(listen(stopper));
        let command = Command { args, screen, stop };
        // These end by it, and say so themselves.
        if matches!(command.args.command.name, "serve" | "watch" | "demo") || command.args.is("follow") {
            return dispatch(&command).await;
        }
        tokio::select! {
            ended = dispatch(&command) => ended,
            () = command.stopped() => Err(Code::Cancelled.into()),
        }
    });
    runtime.shutdown_timeout(LEAVING);
    ended
}

async fn dispatch(command: &Command) -> Result<u8> {
    match command.args.command.name {
        "completion" => {
            let shell =
                command.args.only()?.ok_or_else(|| args::usage("Which shell?").hint("Give bash, zsh or fish"))?;
            command.screen.bytes(completion::completion(shell)?.as_bytes()).map(|()| exit::DONE)
        }
        "demo" => demo::run(command).await,
        "doctor" => doctor::run(command).await,
        "login" => login::run(command).await,
        "ls" => ls::run(command).await,
        "pending" => pending::run(command).await,
        "restore" => restore::run(command).await,
        "search" => search::run(command).await,
        "send" => send::run(command).await,
        "serve" => serve::run(command).await,
        "show" => show::run(command).await,
        "sync" => sync::run(command).await,
        "users" => users::run(command).await,
        "watch" => watch::run(command).await,
        other => Err(MailError::new(Code::Internal, format!("The command {other} is in the table and nowhere else"))),
    }
}

/// Waits for Ctrl-C or SIGTERM; for a second one that ends the process where the first one does not.
async fn listen(stop: Sender<bool>) {
    signalled().await;
    stop.send_replace(true);
    signalled().await;
    std::process::exit(exit::INTERRUPTED.into());
}

#[cfg(unix)]
async fn signalled() {
    use tokio::signal::unix::{SignalKind, signal};
    let (interrupt, terminate) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    let (Ok(mut interrupt), Ok(mut terminate)) = (interrupt, terminate) else { return std::future::pending().await };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
}

#[cfg(not(unix))]
async fn signalled() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
