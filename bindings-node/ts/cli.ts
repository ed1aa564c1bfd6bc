#!/usr/bin/env node
// The command line: the program `mailtide`.

import { native } from "./native.js";

// The command handles these. Node's own handlers, which would run after its, raise the signal once more; these do not.
for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => {});
process.exit(native.commandLine(process.argv.slice(2)));
