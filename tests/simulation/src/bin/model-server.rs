//! Serves the modelled server on loopback until standard input ends: `model-server PERSONALITY`. Prints its port.

#![allow(clippy::print_stdout, reason = "whoever started it reads the port there")]

use mailtide_simulation::model::Server;
use mailtide_simulation::network::Network;
use mailtide_simulation::personality::Personality;
use mailtide_simulation::random::Random;
use std::io::Read;
use tokio::net::TcpListener;

fn main() -> std::io::Result<()> {
    let name = std::env::args().nth(1).unwrap_or_else(|| "dovecot".to_owned());
    let unknown = || std::io::Error::other(format!("no personality is called {name}"));
    let personality = Personality::named(&name).ok_or_else(unknown)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let network = Network::new(Server::new(personality, Random::new(1)));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        println!("{}", listener.local_addr()?.port());
        let ended = tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()));
        tokio::select! {
            served = network.serve(listener) => served,
            _ = ended => Ok(()),
        }
    })
}
