import assert from "node:assert/strict";
import { test } from "node:test";
import { mountAll, orderSteps } from "./mount-step.ts";

const steps = (...destinations: string[]) =>
  destinations.map((destination) => ({ destination, mount: () => {} }));
const order = (...destinations: string[]) =>
  orderSteps(steps(...destinations)).map(({ destination }) => destination);

test("mounts come in their order, but each after those that it is in", () => {
  assert.deepEqual(order("/b", "/a", "/c"), ["/b", "/a", "/c"]);
  assert.deepEqual(order("/a/b/c", "/x", "/a/b", "/a/"), ["/a/", "/a/b", "/a/b/c", "/x"]);
  assert.deepEqual(order("/run/../a", "/ab", "/a", "/run", "//a/./b"), [
    "/run",
    "/run/../a",
    "/ab",
    "/a",
    "//a/./b",
  ]);
  assert.deepEqual(order("/a", "/a/", "/a"), ["/a", "/a/", "/a"]);
});

test("a mount that fails is named, and ends the rest", () => {
  const done: string[] = [];
  const step = (destination: string) => ({
    destination,
    mount: (guest: (path: string) => string) => {
      if (destination === "/bad") throw new Error("no");
      done.push(destination + guest("/x"));
    },
  });
  const list = ["/a", "/bad", "/c"].map(step);
  assert.throws(() => mountAll(list, (path) => `.${path}`), { message: 'mount "/bad": no' });
  assert.deepEqual(done, ["/a./x"]);
});
