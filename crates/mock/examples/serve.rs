//! Serves a folder of dumps like the platforms do, to try `logmill fetch` on:
//!
//! ```sh
//! cargo run -p logmill-mock --example serve -- testdata/demo
//! APIFY_TOKEN=token logmill fetch apify-log ID --base-url http://127.0.0.1:PORT
//! ```

use std::io::Read;
use std::path::PathBuf;

use logmill_mock::{Server, World};

fn main() {
    let folder = std::env::args_os().nth(1).map_or_else(|| PathBuf::from("testdata/demo"), PathBuf::from);
    let account = "0123456789abcdef0123456789abcdef";
    let world = World::of_dumps(&folder, "token", account);
    let server = Server::start(move |seen| world.answer(seen));
    println!("{} serves {}; token: token; account: {account}; Enter ends it", server.url(), folder.display());
    let _ = std::io::stdin().read(&mut [0]);
}
