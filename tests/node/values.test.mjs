// What needs no session: sets, references, flags, roles.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Flag, MessageRef, Role, UidSet } from "mailtide";

const code = (expected) => (error) => {
  assert.equal(error.code, expected);
  return true;
};

test("a set of UIDs is kept in its shortest form", () => {
  const set = new UidSet("9,1:3,4,2");
  assert.equal(String(set), "1:4,9");
  assert.deepEqual([...set], [1, 2, 3, 4, 9]);
  assert.deepEqual([set.size, set.has(3), set.has(5)], [5, true, false]);
  assert.equal(JSON.stringify({ set }), '{"set":"1:4,9"}');
  assert.equal(String(new UidSet([5, 6, 7])), "5:7");
});

test("an empty list is an empty set, a huge range costs nothing", () => {
  assert.deepEqual([...new UidSet([])], []);
  assert.equal(new UidSet("1:4294967295").size, 4294967295);
});

for (const bad of ["", "1:*", "*", "0", "a", "1,,2", "1;2", "-1", "4294967296", "1:2:3", "1\r\nA1 LOGOUT"]) {
  test(`${JSON.stringify(bad)} is no set of UIDs`, () => assert.throws(() => new UidSet(bad), code("usage.selection")));
}

test("a reference is plain data and one string", () => {
  const ref = new MessageRef("ada@h", "Büro/2024", 7, 42);
  assert.deepEqual(MessageRef.from(JSON.parse(JSON.stringify(ref))), ref);
  assert.ok(ref.equals(MessageRef.from(ref)));
  assert.ok(!ref.equals(new MessageRef("ada@h", "Büro/2024", 8, 42)));
  assert.equal(String(ref), "ada@h/Büro/2024;UIDVALIDITY=7/;UID=42");
});

test("flags are IMAP's own words, roles are not strings", () => {
  assert.equal(Flag.SEEN, "\\Seen");
  assert.equal(Role.from("archive"), Role.ARCHIVE);
  assert.equal(Role.from("from"), null);
  assert.equal(JSON.stringify(Role.TRASH), '"trash"');
});
