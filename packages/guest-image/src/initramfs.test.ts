import assert from "node:assert/strict";
import { test } from "node:test";
import { buildInitramfs } from "./initramfs.ts";
import { readCpio } from "./test-support/read-cpio.ts";

const text = (value: string) => Buffer.from(value);
const CONTENTS = {
  agent: text("agent"),
  moduleSet: {
    modules: [
      { name: "base", data: text("1") },
      { name: "top", data: text("2") },
    ],
    order: { top: ["base", "top"], base: ["base"] },
  },
};

test("the initramfs holds the agent, its modules and places to mount on", () => {
  const entries = readCpio(buildInitramfs(CONTENTS));
  const kinds = Object.fromEntries(
    entries.map(({ path, kind, mode }) => [path, `${kind} ${mode?.toString(8)}`]),
  );
  assert.deepEqual(kinds, {
    dev: "directory 755",
    "dev/console": "device 600",
    "dev/null": "device 666",
    init: "file 755",
    lib: "directory 755",
    "lib/modules": "directory 755",
    "lib/modules/base.ko": "file 644",
    "lib/modules/order.json": "file 644",
    "lib/modules/top.ko": "file 644",
    proc: "directory 755",
    run: "directory 755",
    sys: "directory 755",
    tmp: "directory 1777",
  });
  const fileOf = (wanted: string) => {
    const data = entries.find(({ path }) => path === wanted)?.data;
    return Buffer.from(String(data), "hex").toString();
  };
  assert.equal(fileOf("init"), "agent");
  assert.equal(fileOf("lib/modules/top.ko"), "2");
  assert.equal(fileOf("lib/modules/order.json"), '{"base":["base"],"top":["base","top"]}\n');
  assert.deepEqual(
    entries.filter(({ kind }) => kind === "device").map(({ path, major, minor }) => [path, major, minor]),
    [
      ["dev/console", 5, 1],
      ["dev/null", 1, 3],
    ],
  );
});

test("the same contents give the same bytes, whatever order they come in", () => {
  const { agent, moduleSet } = CONTENTS;
  const reversed = {
    modules: [...moduleSet.modules].reverse(),
    order: { base: ["base"], top: ["base", "top"] },
  };
  assert.deepEqual(buildInitramfs({ agent, moduleSet: reversed }), buildInitramfs(CONTENTS));
});
