import assert from "node:assert/strict";
import { test } from "node:test";
import { isHuskError } from "@husk/virtcontainers";
import { findAllowing, parseStoreAddress } from "./store-address.ts";

test("an address is taken apart, and shown without passwords", () => {
  assert.deepEqual(parseStoreAddress("zdb://user:s%20ecret@Hub.Grid.tf/a/ns"), {
    scheme: "zdb",
    host: "hub.grid.tf",
    port: "9900",
    path: "/ns",
    password: "s ecret",
    text: "zdb://hub.grid.tf:9900/a/ns",
  });
  assert.deepEqual(parseStoreAddress("dir:///srv/my%20blocks/"), {
    scheme: "dir",
    host: "",
    port: "",
    path: "/srv/my blocks",
    password: undefined,
    text: "dir:///srv/my%20blocks",
  });
  assert.equal(parseStoreAddress("https://example.org").text, "https://example.org");
  assert.equal(parseStoreAddress("http://EXAMPLE.org:8080/a/../b/").text, "http://example.org:8080/b");
  assert.equal(parseStoreAddress("zdb:///run/zdb.sock").path, "/run/zdb.sock");
});

test("what is no address of a store is refused", () => {
  const bad = [
    "",
    "x",
    "/srv/blocks",
    "dir://",
    "dir://srv/blocks",
    "zdb://",
    "http://a/?x",
    "http://a/#x",
    "http://a/b%2f..%2fc",
    "dir:///a%00b",
    "dir:///a%zz",
  ];
  for (const text of bad)
    assert.throws(
      () => parseStoreAddress(text),
      (error) => isHuskError(error, "ERR_CONFIG_INVALID"),
      text,
    );
  for (const text of ["s3://k:s@h/b", "server://h", "file:///srv", "ftp://h/"]) {
    assert.throws(
      () => parseStoreAddress(text),
      (error) => isHuskError(error, "ERR_NOT_SUPPORTED") && !error.message.includes("k:s"),
      text,
    );
  }
});

test("an address allows those that begin with it, part by part", () => {
  const allows = (one: string, other: string) =>
    findAllowing([parseStoreAddress(one)], parseStoreAddress(other)) !== undefined;
  const yes: [string, string][] = [
    ["dir:///srv", "dir:///srv"],
    ["dir:///srv", "dir:///srv/blocks/x"],
    ["dir:///srv/", "dir:///srv/a/../b"],
    ["zdb://h", "zdb://u:p@h:9900/ns"],
    ["https://h/a", "https://H:443/a/b"],
  ];
  const no: [string, string][] = [
    ["dir:///srv", "dir:///srvx"],
    ["dir:///srv", "dir:///srv/../etc"],
    ["dir:///srv", "dir:///srv/%2e%2e/etc"],
    ["dir:///srv/a", "dir:///srv"],
    ["zdb://h/one", "zdb://h/two"],
    ["zdb://h", "zdb://h:9901"],
    ["zdb://h", "zdb://h.evil.org"],
    ["https://h", "http://h"],
    ["https://h", "https://h@evil.org"],
    ["https://h/a", "https://h/a/%2e%2e/b"],
  ];
  for (const [one, other] of yes) assert.ok(allows(one, other), `${one} ${other}`);
  for (const [one, other] of no) assert.ok(!allows(one, other), `${one} ${other}`);
});
