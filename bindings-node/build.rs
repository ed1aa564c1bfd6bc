//! Link flags that an addon of Node needs, chiefly on Windows and macOS.

fn main() {
    napi_build::setup();
}
