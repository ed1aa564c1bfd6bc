//! Commands as they travel.
