import assert from "node:assert/strict";
import { test } from "node:test";
import type { QmpCommand } from "./commands.ts";
import { encodeQmpCommand } from "./commands.ts";

const line = (command: QmpCommand, id: number) => new TextDecoder().decode(encodeQmpCommand(command, id));

test("a command is one line of JSON", () => {
  assert.equal(line({ execute: "qmp_capabilities" }, 1), '{"execute":"qmp_capabilities","id":1}\n');
  assert.equal(
    line({ execute: "device_del", arguments: { id: "a\nü" } }, 2),
    '{"execute":"device_del","arguments":{"id":"a\\nü"},"id":2}\n',
  );
});

test("a disk image is opened as QAPI says", () => {
  const file = { driver: "file", filename: "/a b", locking: "off" } as const;
  const command: QmpCommand = {
    execute: "blockdev-add",
    arguments: { driver: "raw", "node-name": "d0", "read-only": true, file },
  };
  assert.deepEqual(JSON.parse(line(command, 3)), { ...command, id: 3 });
});

test("the compiler refuses what QEMU would", () => {
  // @ts-expect-error a device needs a driver
  line({ execute: "device_add", arguments: { id: "a" } }, 1);
  // @ts-expect-error blockdev-del needs its argument
  line({ execute: "blockdev-del" }, 1);
  // @ts-expect-error stop takes no argument
  line({ execute: "stop", arguments: { force: true } }, 1);
  // @ts-expect-error there is no such command
  line({ execute: "explode" }, 1);
});
