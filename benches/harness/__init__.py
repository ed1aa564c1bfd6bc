"""The project's own benchmarks: a private server, generated mail, interleaved runs of ours and of peers."""
