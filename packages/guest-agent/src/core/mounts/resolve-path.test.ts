import assert from "node:assert/strict";
import { posix } from "node:path";
import { describe, test } from "node:test";
import { Random } from "../../../test/support/random.ts";
import { resolvePath } from "./resolve-path.ts";

/** Resolves in a file system that has these links only. */
const resolve = (path: string, links: Record<string, string> = {}, root = "/root") =>
  resolvePath(root, path, (name) => links[name]);

describe("a path in a root", () => {
  test("stays in it, however it is written", () => {
    for (const [path, expected] of [
      ["/a/b", "/root/a/b"],
      ["a//./b/", "/root/a/b"],
      ["../../a", "/root/a"],
      ["a/../../../b", "/root/b"],
      ["/", "/root"],
      ["", "/root"],
    ] as const) {
      assert.equal(resolve(path), expected, path);
    }
    assert.deepEqual(
      ["/", "/a", "b"].map((path) => resolve(path, {}, "")),
      ["/", "/a", "/b"],
    );
  });

  test("goes through links, whose own roots are the same", () => {
    const links = {
      "/root/absolute": "/etc/x",
      "/root/relative": "a/b",
      "/root/up": "../../../etc",
      "/root/chain": "up/../relative",
      "/root/a/b": "../c",
    };
    for (const [path, expected] of [
      ["absolute", "/root/etc/x"],
      ["absolute/y", "/root/etc/x/y"],
      ["relative/y", "/root/c/y"],
      ["up", "/root/etc"],
      ["chain", "/root/c"],
    ] as const) {
      assert.equal(resolve(path, links), expected, path);
    }
  });

  test("does not go round for ever", () => {
    assert.throws(() => resolve("loop/x", { "/root/loop": "/loop" }), /^Error: "loop\/x" goes through more/);
    const chain = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`/root/${at}`, `${at + 1}`]));
    assert.equal(resolve("0", chain), "/root/40");
    assert.throws(() => resolve("again", { ...chain, "/root/again": "0" }), /more than 40 links/);
  });

  test("never leads out, whatever the links are (1,000 random trees)", () => {
    const random = new Random(7);
    const word = () => random.pick(["a", "b", "c", "..", ".", "", "/"]);
    const words = () => Array.from({ length: 1 + random.next(5) }, word).join("/");
    for (let round = 0; round < 1000; round++) {
      const links: Record<string, string> = {};
      for (let count = random.next(5); count > 0; count--) {
        links[posix.join("/root", words().replaceAll("..", "a"))] = words();
      }
      let result: string;
      try {
        result = resolve(words(), links);
      } catch (error) {
        assert.match(String(error), /more than 40 links/);
        continue;
      }
      assert.match(result, /^\/root(\/[abc])*$/);
      // It has no link in it any more.
      for (let at = result; at !== "/root"; at = posix.dirname(at)) assert.equal(links[at], undefined);
    }
  });
});
