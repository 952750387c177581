import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Process } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import { needsDisk } from "../../../test/support/disk.ts";
import {
  makeSpec,
  rootPath,
  runContainer,
  type SpecInit,
  startSandbox,
  useRoot,
} from "../../../test/support/kata-containers.ts";

useRoot();

const TRUE = ["/bin/true"];
const spec = (more: SpecInit) => makeSpec(TRUE, more);
const process = (more: MessageInit<Process>) => makeSpec(TRUE, {}, more);
const mount = (destination: string, type: string, source: string, ...options: string[]) =>
  spec({ Mounts: [{ destination, type, source, options }] });
const device = (more: object) =>
  spec({
    Linux: {
      Devices: [{ Path: "/dev/x", Type: "c", Major: 1n, Minor: 3n, FileMode: 0, UID: 0, GID: 0, ...more }],
    },
  });

const makeFaults = (): [name: string, spec: SpecInit | undefined, text: RegExp][] => [
  ["no specification", undefined, /^the request has no OCI specification$/],
  ["no root", { Process: { Args: TRUE, Cwd: "/" } }, /^the specification has no root\.path$/],
  ["a relative root", spec({ Root: { Path: "here" } }), /^root\.path must be an absolute path, not "here"$/],
  ["no process", { Root: { Path: rootPath() } }, /^the specification has no process$/],
  ["no program", process({ Args: [] }), /^process\.args has no program$/],
  ["an empty program", process({ Args: [""] }), /^process\.args has no program$/],
  ["a NUL byte", process({ Args: ["/bin/true", "a\0b"] }), /^process\.args has a NUL byte/],
  ["no working directory", process({ Cwd: "" }), /^process\.cwd must be an absolute path, not ""$/],
  ["a bad variable", process({ Env: ["A"] }), /^process\.env: "A" is not of the form NAME=value$/],
  [
    "an unknown limit",
    process({ Rlimits: [{ Type: "RLIMIT_X", Soft: 1n, Hard: 1n }] }),
    /^unknown resource limit "RLIMIT_X"$/,
  ],
  [
    "a limit above its ceiling",
    process({ Rlimits: [{ Type: "RLIMIT_NOFILE", Soft: 2n, Hard: 1n }] }),
    /2 is above its ceiling 1$/,
  ],
  ["an unknown capability", process({ Capabilities: { Bounding: ["CAP_X"] } }), /unknown capability "CAP_X"/],
  [
    "a capability that cannot be had",
    process({ Capabilities: { Effective: ["CAP_KILL"] } }),
    /is effective, but not permitted/,
  ],
  ["an odd number of a user", process({ User: { UID: 0xffffffff } }), /4294967295 is no number of a user/],
  ["an odd place in the line", process({ OOMScoreAdj: 1001n }), /^process\.oomScoreAdj: 1001/],
  ["AppArmor", process({ ApparmorProfile: "x" }), /the guest has no AppArmor$/],
  ["SELinux", process({ SelinuxLabel: "x" }), /the guest has no SELinux$/],
  ["an unknown namespace", spec({ Linux: { Namespaces: [{ Type: "x" }] } }), /^unknown namespace type "x"$/],
  ["a namespace twice", spec({ Linux: { Namespaces: [{ Type: "ipc" }, { Type: "ipc" }] } }), /given twice$/],
  [
    "another PID namespace",
    spec({ Linux: { Namespaces: [{ Type: "pid", Path: "/proc/1/ns/pid" }] } }),
    /^a pid namespace is not joined/,
  ],
  [
    "a relative mount",
    mount("x", "tmpfs", ""),
    /^the destination of a mount must be an absolute path, not "x"$/,
  ],
  ["a mount without a type", mount("/x", "", ""), /^mount "\/x" has no type$/],
  ["a bind of nothing", mount("/x", "bind", ""), /^the source of mount "\/x" must be an absolute path/],
  [
    "an option without a meaning",
    mount("/x", "bind", "/etc", "size=1"),
    /option "size=1" means nothing for a bind$/,
  ],
  ["an unknown device", device({ Type: "x" }), /^device "\/dev\/x" has an unknown type "x"$/],
  ["a device without a number", device({ Major: -1n }), /-1:3 is not the number of a device$/],
  ["an unknown propagation", spec({ Linux: { RootfsPropagation: "x" } }), /^unknown rootfsPropagation "x"$/],
  [
    "a relative masked path",
    spec({ Linux: { MaskedPaths: ["x"] } }),
    /^an entry of linux\.maskedPaths must be/,
  ],
  ["a parameter that is none", spec({ Linux: { Sysctl: new Map([["a/../b", "1"]]) } }), /is not a name$/],
  ["a cgroup elsewhere", spec({ Linux: { CgroupsPath: "../x" } }), /^linux\.cgroupsPath "\.\.\/x" is none$/],
  ["a relative hook", spec({ Hooks: { Prestart: [{ Path: "x" }] } }), /^the path of a prestart hook must be/],
];

describe("a specification", needsDisk, () => {
  test("is refused with a text when something of it is missing or wrong, and nothing is left", async () => {
    await using session = await startSandbox();
    for (const [name, OCI, text] of makeFaults()) {
      const { status, message } = await session.refuse("CreateContainer", { containerId: "run", OCI });
      assert.match(message, text, name);
      assert.equal(status, "INVALID_ARGUMENT", name);
    }
    for (const containerId of ["", "..", "a/b", "x".repeat(129)]) {
      const { status } = await session.refuse("CreateContainer", { containerId, OCI: spec({}) });
      assert.equal(status, "INVALID_ARGUMENT");
    }
    assert.equal((await runContainer(session, spec({}))).code, 0);
  });

  test("that only the container's own files contradict is refused, too", async () => {
    await using session = await startSandbox();
    for (const [OCI, text] of [
      [spec({ Root: { Path: "/none" } }), /^root\.path "\/none" is not a folder of the guest$/],
      [mount("/x", "bind", "/none"), /^mount "\/x": "\/none" is not in the guest$/],
      [mount("/", "tmpfs", ""), /it would cover the root$/],
      [mount("/x", "nosuchfs", ""), /the guest's kernel has no file system "nosuchfs"$/],
      [mount("/x", "tmpfs", "", "nonsense"), /tmpfs refuses the options "nonsense"$/],
      [spec({ Linux: { Sysctl: new Map([["net.none", "1"]]) } }), /^sysctl net\.none=1: .*No such file/],
      [spec({ Linux: { Namespaces: [{ Type: "network", Path: "/none" }] } }), /No such file/],
    ] as const) {
      assert.match((await session.refuse("CreateContainer", { containerId: "run", OCI })).message, text);
    }
    const stringUser = { uid: "nobody-there", gid: "", additionalGids: [] };
    const refused = await session.refuse("CreateContainer", {
      containerId: "run",
      OCI: spec({}),
      stringUser,
    });
    assert.match(refused.message, /^unknown user "nobody-there"/);
    assert.equal((await runContainer(session, spec({}))).code, 0);
  });
});
