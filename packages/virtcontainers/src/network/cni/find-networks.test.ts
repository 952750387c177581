import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeTempRoot } from "../../testing/temp-root.ts";
import type { CniConfig } from "../../types/index.ts";
import { findNetwork, selectNetworks } from "./find-networks.ts";

const network = (name: string, type = "bridge") => JSON.stringify({ cniVersion: "1.0.0", name, type });

/** Directories with these files, by `dir/name`. */
function makeDirectories(t: TestContext, files: Record<string, string>) {
  const { base } = makeTempRoot(t);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(base, path, ".."), { recursive: true });
    writeFileSync(join(base, path), text);
  }
  const confDirs = [join(base, "a"), join(base, "b")];
  return {
    base,
    select: (numInterfaces?: number, cni: CniConfig = {}) => select({ confDirs, ...cni }, numInterfaces),
  };
}

function select(cni: CniConfig, numInterfaces?: number) {
  const { networks, loopback } = selectNetworks({
    cni,
    ...(numInterfaces === undefined ? {} : { numInterfaces }),
  });
  return { names: networks.map(({ name }) => name), loopback: loopback?.name };
}

test("the first networks by their files' names are chosen, a directory after the other", (t) => {
  const { select } = makeDirectories(t, {
    "a/20-two.conflist": network("two"),
    "a/10-one.conf": network("one"),
    "a/99-loopback.conf": network("lo", "loopback"),
    "a/05-readme.txt": "no configuration",
    "a/.00-hidden.conf": "an editor's",
    "b/00-three.json": network("three"),
  });
  assert.deepEqual(select(), { names: ["one"], loopback: "lo" });
  assert.deepEqual(select(3).names, ["one", "two", "three"]);
  assert.deepEqual(select(0), { names: [], loopback: "lo" });
  assert.throws(() => select(4), {
    code: "ERR_CNI_CONFIG",
    message: /4 CNI networks are wanted, but 3 found in \S+\/a, \S+\/b; networks there: one, two, three$/,
  });
});

test("networks are chosen by name, in the order of the names, also twice", (t) => {
  const { select } = makeDirectories(t, { "a/1.conf": network("one"), "b/2.conf": network("two") });
  assert.deepEqual(select(undefined, { networks: ["two", "one", "two"] }).names, ["two", "one", "two"]);
  assert.deepEqual(select(undefined, { networks: [] }).names, []);
  assert.deepEqual(select(1, { networks: ["two"] }).names, ["two"]);
  assert.throws(() => select(2, { networks: ["two"] }), {
    code: "ERR_CONFIG_INVALID",
    message: /numInterfaces is 2, and cni\.networks names 1/,
  });
  assert.throws(() => select(undefined, { networks: Array(17).fill("one") }), { code: "ERR_CONFIG_INVALID" });
  assert.throws(() => select(undefined, { networks: ["none"] }), {
    code: "ERR_CNI_CONFIG",
    message: /^there is no CNI network "none" in .*; networks there: one, two$/,
  });
});

test("of two networks of a name the first by its file's name is meant", (t) => {
  const { base } = makeDirectories(t, {
    "a/1.conf": network("n", "first"),
    "b/0.conf": network("n", "second"),
  });
  const list = findNetwork({ cni: { confDirs: [join(base, "a"), join(base, "b")] } }, "n");
  assert.equal(list.plugins[0]?.type, "first");
});

test("a broken file is told where it may have been meant", (t) => {
  const { base, select } = makeDirectories(t, {
    "a/10-good.conf": network("good"),
    "a/20-broken.conf": "{ not JSON",
    "a/30-wrong.conf": '{ "name": "wrong", "cniVersion": "9.9.9" }',
    "a/40-last.conf": network("last"),
  });
  assert.deepEqual(select().names, ["good"]);
  assert.deepEqual(select(undefined, { networks: ["last"] }).names, ["last"]);
  assert.throws(() => select(2), { code: "ERR_CNI_CONFIG", message: /a\/20-broken\.conf: is not JSON/ });
  assert.throws(() => select(undefined, { networks: ["wrong"] }), {
    message: /a\/30-wrong\.conf: cniVersion: "9/,
  });
  assert.throws(() => select(undefined, { networks: ["absent"] }), {
    message: /no CNI network "absent" in .*; unusable there: \S+20-broken\.conf: is not JSON.*30-wrong\.conf/,
  });
  symlinkSync("/nowhere", join(base, "a/00-dangling.conf"));
  assert.throws(() => select(), { code: "ERR_CNI_CONFIG", message: /a\/00-dangling\.conf: ENOENT/ });
});

test("the loopback is no network to join by name", (t) => {
  const { select } = makeDirectories(t, { "a/1.conf": network("lo", "loopback") });
  assert.throws(() => select(undefined, { networks: ["lo"] }), { message: /the network lo is the loopback/ });
  assert.throws(() => select(), { message: /1 CNI networks are wanted, but 0 found in/ });
});

test("directories that are missing, or no directories, are told", (t) => {
  const { base } = makeDirectories(t, { "a/1.conf": network("one") });
  assert.throws(() => select({ confDirs: ["/nowhere"] }), {
    code: "ERR_CNI_CONFIG",
    message: /in \/nowhere$/,
  });
  assert.throws(() => select({ confDirs: [join(base, "a/1.conf")] }), {
    code: "ERR_CNI_CONFIG",
    message: /cannot read the directory \S+1\.conf/,
  });
});

test("configurations are bounded in size and number", (t) => {
  const { base, select } = makeDirectories(t, { "a/1.conf": `${network("big")}${" ".repeat(1024 * 1024)}` });
  assert.throws(() => select(), { code: "ERR_CNI_CONFIG", message: /1\.conf: is longer than 1048576 bytes/ });
  mkdirSync(join(base, "b"));
  for (let i = 0; i < 1025; i++) writeFileSync(join(base, "b", `${i}.conf`), "");
  assert.throws(() => select(), { message: /more than 1024 CNI configurations/ });
});
