//! The Python door of Mailtide: convert, call, convert. What users see is in `python/mailtide`.

mod bridge;
mod bulk;
mod bytes;
mod call;
mod errors;
mod reference;
mod runtime;

/// The native half of the package `mailtide`; not for direct use.
#[pyo3::pymodule(gil_used = false)]
mod _native {
    #[pymodule_export]
    use crate::bytes::Bytes;
    #[pymodule_export]
    use crate::call::{Call, run_blocking};
    #[pymodule_export]
    use crate::errors::{codes, make_error};
    #[pymodule_export]
    use crate::reference::MessageRef;
}
