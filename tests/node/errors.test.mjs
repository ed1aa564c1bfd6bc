// Errors: every code has its class, and all of it is plain data.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import * as mailtide from "mailtide";

const require = createRequire(import.meta.url);
const native = require("../../bindings-node/dist/mailtide.node");
const { CLASSES, unpack } = require("../../bindings-node/dist/errors.js");

const packed = (code, more = {}) => ({ code, message: `it failed [${code}]`, retry: "never", retryAfter: null, context: {}, ...more });

test("every code of the engine is known here, and none besides", () => {
  assert.deepEqual([...mailtide.CODES].sort(), native.codes().sort());
});

test("every code has a class of its family", () => {
  for (const code of native.codes()) {
    assert.ok(CLASSES[code] ?? CLASSES[code.split(".")[0]], code);
    const error = unpack(packed(code));
    assert.ok(error instanceof mailtide.MailError && error instanceof Error, code);
    assert.equal(error.name, error.constructor.name);
    assert.equal(error.code, code);
  }
});

test("network errors are found by their family and by their kind", () => {
  assert.ok(unpack(packed("net.timeout")) instanceof mailtide.TimeoutError);
  assert.ok(unpack(packed("net.tampered")) instanceof mailtide.TlsError);
  for (const code of ["net.lost", "net.timeout", "net.tls"]) assert.ok(unpack(packed(code)) instanceof mailtide.NetError);
});

test("an error says what to do, and is JSON without its stack", () => {
  const error = unpack(packed("server.throttled", { retry: "later", retryAfter: 1500 }));
  assert.ok(error instanceof mailtide.ThrottledError);
  assert.deepEqual([error.retry, error.retryAfter], ["later", 1500]);
  assert.deepEqual(JSON.parse(JSON.stringify(error)), {
    name: "ThrottledError", code: "server.throttled", message: "it failed [server.throttled]", retry: "later", retryAfter: 1500, context: {},
  });
});

test("a partial error carries what was done, what failed and what is not known", () => {
  const result = {
    places: [["ada@h", "INBOX", 7], ["ada@h", "Archive", 9]],
    done: [[[0, 1], [1, 10]], [[0, 2], null]],
    failed: [[[0, 3], packed("server.refused")]],
    unknown: [[0, 4]],
  };
  const error = unpack(packed("bulk.partial", { result }));
  assert.ok(error instanceof mailtide.PartialError);
  assert.equal(String(error.result.done[0].target), "ada@h/Archive;UIDVALIDITY=9/;UID=10");
  assert.equal(error.result.done[1].target, null);
  assert.ok(error.result.failed[0].error instanceof mailtide.ServerError);
  assert.equal(error.result.unknown[0].uid, 4);
  assert.equal(JSON.parse(JSON.stringify(error)).result.unknown[0].mailbox, "INBOX");
});
