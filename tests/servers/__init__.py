"""Real IMAP servers for tests and the demo: private, on loopback, in a temporary folder, stopped by pid."""
