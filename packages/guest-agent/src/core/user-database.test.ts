import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { lookUpCredentials } from "./user-database.ts";

const PASSWD = `root:x:0:0:root:/root:/bin/sh
# a comment, and lines that are none of ours

short:x:7
worker:x:1000:1001:Worker:/home/worker:/bin/sh
homeless:x:1002:1002::
1000:x:2000:2000:a name of digits:/odd:/bin/sh
huge:x:4294967295:1:the number that means no change:/:/bin/sh
minus:x:-1:1::/:/bin/sh
`;
const GROUP = `root:x:0:
workers:x:1001:
extra:x:1003:worker,homeless
more:x:1004:worker
4:x:1005:
huge:x:4294967295:worker
`;

const lookUp = (user?: string, group?: string, additionalGroups: string[] = []) =>
  lookUpCredentials(
    { ...(user !== undefined && { user }), ...(group !== undefined && { group }), additionalGroups },
    PASSWD,
    GROUP,
  );

describe("credentials", () => {
  test("are root's when nothing is asked for", () => {
    const root = { uid: 0, gid: 0, groups: [0], name: "root", home: "/root" };
    assert.deepEqual([lookUp(), lookUp(""), lookUp("root"), lookUp("0")], [root, root, root, root]);
  });

  test("of a name have its own group and those it is a member of", () => {
    const expected = {
      uid: 1000,
      gid: 1001,
      groups: [1001, 1003, 1004],
      name: "worker",
      home: "/home/worker",
    };
    assert.deepEqual(lookUp("worker"), expected);
  });

  test("of digits are first looked up as a name (CVE-2016-3697's class)", () => {
    assert.deepEqual(lookUp("1000"), { uid: 2000, gid: 2000, groups: [2000], name: "1000", home: "/odd" });
    assert.deepEqual(lookUp("1002").name, "homeless");
    assert.deepEqual(lookUp("0", "4").gid, 1005);
  });

  test("of a number that nobody has need no entry", () => {
    assert.deepEqual(lookUp("4242"), { uid: 4242, gid: 0, groups: [0] });
    assert.deepEqual(lookUp("4242", "99", ["98", "99", "extra"]), {
      uid: 4242,
      gid: 99,
      groups: [99, 98, 1003],
    });
  });

  test("may have another group, which comes first", () => {
    assert.deepEqual(lookUp("worker", "root", ["more", "77"]).groups, [0, 1003, 1004, 77]);
  });

  test("of a user without a home are at the root", () => assert.equal(lookUp("homeless").home, "/"));

  for (const user of ["nobody", "short", "-1", "4294967295", "12345678901", " 0", "0x0", "huge", "minus"]) {
    test(`of "${user}" are refused by name`, () => {
      assert.throws(() => lookUp(user), { message: `unknown user "${user}" in the container's /etc/passwd` });
    });
  }

  for (const group of ["nobody", "huge", "-1", "4294967295"]) {
    test(`with the group "${group}" are refused by name`, () => {
      const message = `unknown group "${group}" in the container's /etc/group`;
      assert.throws(() => lookUp("root", group), { message });
      assert.throws(() => lookUp("root", "root", [group]), { message });
    });
  }

  test("come from any files, or an error does: never a number that the kernel takes for no change", () => {
    const field = fc.oneof(fc.constantFrom("", "0", "1000", "-1", "4294967295", "root"), fc.string());
    const file = fc
      .array(fc.array(field, { maxLength: 8 }).map((parts) => parts.join(":")))
      .map((lines) => lines.join("\n"));
    fc.assert(
      fc.property(file, file, field, field, (passwd, group, user, wanted) => {
        try {
          const { uid, gid, groups } = lookUpCredentials(
            { user, group: wanted, additionalGroups: [] },
            passwd,
            group,
          );
          for (const id of [uid, gid, ...groups])
            assert.ok(Number.isInteger(id) && id >= 0 && id < 0xffffffff);
        } catch (error) {
          assert.match((error as Error).message, /^unknown (user|group) "/);
        }
      }),
    );
  });
});
