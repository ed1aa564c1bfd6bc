//! The command line of the package.

use pyo3::prelude::*;
use std::ffi::OsString;

/// Does what was typed, and returns the exit code. Ctrl-C is handled by it.
#[pyfunction]
pub fn command_line(py: Python<'_>, args: Vec<OsString>) -> u8 {
    py.detach(|| mailtide::cli::run(args))
}
