import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { chooseModules, readModuleInfo, stripSignature } from "./modules.ts";
import { makeModule } from "./test-support/make-elf.ts";

/** A source of modules, each told by what it depends on. */
function sourceOf(modules: Record<string, string[]>) {
  return (name: string) => {
    const depends = modules[name];
    return depends && makeModule([`depends=${depends.join(",")}`, `name=${name}`]);
  };
}

function sign(module: Buffer, signature: Buffer): Buffer {
  const info = Buffer.alloc(12);
  info.writeUInt32BE(signature.length, 8);
  return Buffer.concat([module, signature, info, Buffer.from("~Module signature appended~\n")]);
}

test("a module says its name and its needs, with underscores", () => {
  const module = makeModule([
    "license=GPL",
    "depends=virtio-ring,virtio",
    "softdep=pre: crc32c other-one post: late",
    "softdep=post: later",
    "name=virtio-blk",
    "vermagic=6.1 SMP",
  ]);
  assert.deepEqual(readModuleInfo(module), {
    name: "virtio_blk",
    depends: ["virtio_ring", "virtio"],
    softBefore: ["crc32c", "other_one"],
  });
});

test("what is no module is refused", () => {
  assert.throws(() => readModuleInfo(Buffer.from("text")), /ELF/);
  assert.throws(() => readModuleInfo(makeModule(["license=GPL"])), /name/);
});

test("every module comes after all it needs", () => {
  const readModule = sourceOf({
    top: ["left", "right"],
    left: ["base"],
    right: ["base"],
    base: [],
    alone: [],
  });
  const { modules, order } = chooseModules(["top", "alone"], new Set(), readModule);
  assert.deepEqual(order, { alone: ["alone"], top: ["base", "left", "right", "top"] });
  assert.deepEqual(
    modules.map(({ name }) => name),
    ["alone", "base", "left", "right", "top"],
  );
});

test("what is compiled into the kernel is not loaded", () => {
  const { order } = chooseModules(["top", "core"], new Set(["core"]), sourceOf({ top: ["core"] }));
  assert.deepEqual(order, { top: ["top"] });
});

test("a soft dependency is loaded first when there is such a module, and not missed otherwise", () => {
  const soft = makeModule(["depends=", "softdep=pre: there gone", "name=top"]);
  const there = makeModule(["depends=", "name=there"]);
  const { order } = chooseModules(["top"], new Set(), (name) => ({ top: soft, there })[name]);
  assert.deepEqual(order, { top: ["there", "top"] });
});

test("a missing module names the one that needs it", () => {
  assert.throws(() => chooseModules(["top"], new Set(), sourceOf({ top: ["gone"] })), /gone, needed by top/);
  assert.throws(() => chooseModules(["gone"], new Set(), sourceOf({})), /gone, needed by the guest/);
});

test("modules in a circle are refused", () => {
  const readModule = sourceOf({ a: ["b"], b: ["c"], c: ["a"] });
  assert.throws(() => chooseModules(["a"], new Set(), readModule), /a → b → c → a/);
});

test("any graph without circles gives orders in which needs come first, and nothing twice", () => {
  // Module N may need only modules of a lower number, so there is no circle.
  const graph = fc
    .array(fc.array(fc.nat(20), { maxLength: 4 }), { minLength: 1, maxLength: 20 })
    .map((rows) => rows.map((row, index) => [...new Set(row.filter((other) => other < index))]));
  fc.assert(
    fc.property(graph, (rows) => {
      const needs = Object.fromEntries(
        rows.map((row, index) => [`m${index}`, row.map((other) => `m${other}`)]),
      );
      const { modules, order } = chooseModules(Object.keys(needs), new Set(), sourceOf(needs));
      assert.equal(modules.length, rows.length);
      for (const [name, list] of Object.entries(order)) {
        assert.equal(list.at(-1), name);
        assert.equal(new Set(list).size, list.length);
        for (const [at, loaded] of list.entries()) {
          for (const need of needs[loaded] ?? []) assert.ok(list.slice(0, at).includes(need));
        }
      }
    }),
  );
});

test("a signature is cut off, and nothing else", () => {
  const module = makeModule(["name=x"]);
  assert.ok(module.equals(stripSignature(sign(module, Buffer.alloc(300, 7)))));
  assert.ok(module.equals(stripSignature(module)));
});

test("a signature that does not fit is refused", () => {
  const signed = sign(Buffer.alloc(10), Buffer.alloc(4));
  signed.writeUInt32BE(1000, 10 + 4 + 8);
  assert.throws(() => stripSignature(signed), /does not fit/);
  assert.throws(() => stripSignature(Buffer.from("~Module signature appended~\n")), /does not fit/);
});
