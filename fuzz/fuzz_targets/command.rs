//! Any line that a client may send to the server is read or refused, and so is each way to write names.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((control, line)) = data.split_first() else { return };
    mailtide::server::understands(line, control & 1 == 1);
});
