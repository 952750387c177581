import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeviceInfo } from "../types/index.ts";
import { planDevice, vfioGroupOf } from "./device-nodes.ts";

const plan = (info: DeviceInfo) => planDevice(info, "deviceInfos[0]");
const refuses = (info: DeviceInfo, code: string, message: RegExp) =>
  assert.throws(() => plan(info), { code, message });
const nothing = { path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 0o666 };

test("the numbers are found by the path", () => {
  assert.deepEqual(plan({ hostPath: "/dev/null" }), nothing);
  assert.deepEqual(plan({ hostPath: "/dev/null", major: 0, minor: 0, containerPath: "/dev/x", uid: 5 }), {
    ...nothing,
    path: "/dev/x",
    uid: 5,
  });
});

test("the path is found by the numbers, in the kernel's own list", () => {
  assert.deepEqual(plan({ devType: "u", major: 1, minor: 3 }), nothing);
  const unknown = { devType: "c", major: 4000, minor: 7, containerPath: "/dev/odd", fileMode: 0o600, gid: 9 };
  assert.deepEqual(plan(unknown), {
    ...{ path: "/dev/odd", type: "c", major: 4000, minor: 7 },
    ...{ fileMode: 0o600, gid: 9 },
  });
});

test("a fifo needs only its path", () => {
  assert.deepEqual(plan({ devType: "p", containerPath: "/run/fifo", fileMode: 0o600 }), {
    ...{ path: "/run/fifo", type: "p", major: 0, minor: 0, fileMode: 0o600 },
  });
});

test("what is no device, is not there or contradicts itself is refused, and named", () => {
  refuses({ hostPath: "/etc", containerPath: "/dev/e" }, "ERR_CONFIG_INVALID", /\/etc is no device/);
  refuses({ hostPath: "/dev/null", containerPath: "/n" }, "ERR_NOT_SUPPORTED", /only be below \/dev/);
  refuses({ hostPath: "/dev/none" }, "ERR_DEVICE_MISSING", /the device \/dev\/none does not exist/);
  refuses({ hostPath: "/dev/null", devType: "b" }, "ERR_CONFIG_INVALID", /not a device of the type "b"/);
  refuses(
    { hostPath: "/dev/null", major: 1, minor: 5 },
    "ERR_CONFIG_INVALID",
    /has the numbers 1:3, not 1:5/,
  );
  refuses(
    { devType: "b", major: 4000, minor: 1, containerPath: "/dev/b" },
    "ERR_DEVICE_MISSING",
    /no block device/,
  );
  refuses({ devType: "c", containerPath: "/dev/c" }, "ERR_CONFIG_INVALID", /needs a major number/);
  refuses({ devType: "c", major: 4000, minor: 1 }, "ERR_CONFIG_INVALID", /hostPath or containerPath/);
  refuses({ hostPath: "/dev/null", containerPath: "null" }, "ERR_CONFIG_INVALID", /absolute/);
});

test("a VFIO group is told from the control device beside it", () => {
  assert.equal(vfioGroupOf({ hostPath: "/dev/vfio/12" }), "12");
  assert.equal(vfioGroupOf({ hostPath: "/dev/vfio/vfio" }), undefined);
});
