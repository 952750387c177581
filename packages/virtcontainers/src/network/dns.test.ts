import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { makeTempRoot } from "../testing/temp-root.ts";
import { chooseDns, parseResolvConf, readResolvConf } from "./dns.ts";

test("a resolv.conf is read as the resolver does", () => {
  const text = `# nameserver 1.1.1.1
; nameserver 2.2.2.2
domain first.example
nameserver 10.0.0.1
\tnameserver   fd00::1
nameserver fe80::1%eth0 and more
nameserver not-an-address
nameserver
nameserver 10.0.0.1
options ndots:2 timeout:1
options rotate
search a.example b.example
lookup file bind
`;
  assert.deepEqual(parseResolvConf(text), {
    servers: ["10.0.0.1", "fd00::1", "fe80::1%eth0"],
    search: ["a.example", "b.example"],
    options: ["ndots:2", "timeout:1", "rotate"],
  });
  assert.deepEqual(parseResolvConf("search a b\ndomain c\n").search, ["c"]);
  assert.deepEqual(parseResolvConf("search a b\nsearch\n").search, []);
});

test("what is read of a resolv.conf is bounded", (t) => {
  const { base } = makeTempRoot(t);
  const path = join(base, "resolv.conf");
  const lines = Array.from({ length: 10_000 }, (_, i) => `nameserver 10.0.${i >> 8}.${i & 255}`);
  writeFileSync(path, `search ${"x".repeat(300)} ok\n${lines.join("\n")}`);
  assert.equal(readResolvConf(path)?.servers.length, 32);
  assert.deepEqual(readResolvConf(path)?.search, ["ok"]);
});

test("a resolv.conf that is not there says nothing; one that cannot be read is told", (t) => {
  const { base } = makeTempRoot(t);
  assert.equal(readResolvConf(join(base, "none")), undefined);
  mkdirSync(join(base, "resolv.conf"));
  assert.throws(() => readResolvConf(join(base, "resolv.conf")), { code: "ERR_CONFIG_INVALID" });
});

test("of each field the configuration's wins, then the network's, then the host's", (t) => {
  const { base } = makeTempRoot(t);
  const host = join(base, "resolv.conf");
  writeFileSync(host, "nameserver 10.9.9.9\nsearch host.example\noptions rotate\n");
  const network = { servers: ["10.1.1.1"], search: [], options: ["ndots:2"] };
  assert.deepEqual(chooseDns(undefined, network, host), network);
  assert.deepEqual(chooseDns({ servers: ["10.2.2.2"], search: ["mine.example"] }, network, host), {
    servers: ["10.2.2.2"],
    search: ["mine.example"],
    options: ["ndots:2"],
  });
  assert.deepEqual(chooseDns(undefined, { servers: [], search: ["net.example"], options: [] }, host), {
    servers: ["10.9.9.9"],
    search: ["net.example"],
    options: ["rotate"],
  });
  assert.deepEqual(chooseDns({ search: [] }, undefined, host)?.search, []);
  assert.equal(chooseDns(undefined, undefined, join(base, "none")), undefined);
});

test("servers on the host's loopback, or on a link of the host's by name, are of no use to a pod", (t) => {
  const { base } = makeTempRoot(t);
  const host = join(base, "resolv.conf");
  const unreachable = ["127.0.0.1", "127.0.1.1", "::1", "0.0.0.0", "fe80::1%eth0"];
  writeFileSync(host, [...unreachable, "10.0.0.1"].map((server) => `nameserver ${server}\n`).join(""));
  assert.deepEqual(chooseDns(undefined, undefined, host)?.servers, ["10.0.0.1"]);
});
