import assert from "node:assert/strict";
import { test } from "node:test";
import { json } from "../test-support/bytes.ts";
import type { ContainerRequest } from "./container.ts";
import { parseNewContainer } from "./container.ts";

const process = { stdio: 1, stderr: 2, args: ["true"] };

/** The smallest container the agent takes, with changes. */
function container(changes: Record<string, unknown> = {}): Uint8Array {
  return json({ id: "c1", process, ...changes });
}

/** Asserts that a change is refused at a path. */
function refuses(changes: Record<string, unknown>, path: string, text?: RegExp): void {
  assert.throws(() => parseNewContainer(container(changes)), {
    name: "PayloadError",
    code: "ERR_PAYLOAD",
    path,
    ...(text ? { message: text } : {}),
  });
}

test("the smallest container gets all defaults", () => {
  assert.deepEqual(parseNewContainer(container()), {
    id: "c1",
    rootfs: "",
    image: "",
    volumes: [],
    fsmap: [],
    mounts: [],
    devices: [],
    sysctl: {},
    process: {
      id: "init",
      additionalGroups: [],
      terminal: false,
      stdio: 1,
      stderr: 2,
      args: ["true"],
      envs: [],
      workdir: "/",
    },
    initialize: false,
    readOnly: false,
    ports: [],
  });
});

test("a full container comes through as it was sent", () => {
  const full: ContainerRequest = {
    id: "web_1.a-b",
    rootfs: "rootfs",
    image: "drive-0",
    fstype: "erofs",
    addr: "0:1",
    tag: "roots",
    volumes: [
      { device: "sdb", addr: "0:2", mount: "/data", fstype: "ext4", readOnly: true, dockerVolume: false },
    ],
    fsmap: [
      {
        source: "hosts",
        path: "/etc/hosts",
        readOnly: false,
        dockerVolume: true,
        absolutePath: true,
        scsiAddr: "0:3",
        tag: "files",
      },
    ],
    mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["nosuid", "size=1m"] }],
    devices: [
      {
        ...{ path: "/dev/x", type: "b", major: 4095, minor: 1048575 },
        ...{ fileMode: 0o660, uid: 1, gid: 2, disk: "d", addr: "0:1" },
      },
    ],
    sysctl: { "net.core.somaxconn": "128" },
    process: {
      id: "init",
      user: "daemon",
      group: "1",
      additionalGroups: ["adm", "5"],
      terminal: true,
      stdio: 2 ** 53 - 1,
      stderr: 0,
      args: ["/bin/sh", "-c", "echo 'ü\n'"],
      envs: [{ env: "A", value: "=1" }],
      workdir: "/tmp",
      rows: 24,
      columns: 80,
      noNewPrivileges: true,
      capabilities: {
        bounding: ["CAP_CHOWN"],
        effective: [],
        inheritable: [],
        permitted: [],
        ambient: [],
      },
      rlimits: [{ type: "RLIMIT_NOFILE", hard: 1024, soft: 512 }],
    },
    initialize: true,
    readOnly: true,
    ports: [{ hostPort: 8080, containerPort: 80, protocol: "tcp" }],
    constraints: { CPUQuota: -1, CPUPeriod: 100000, CPUShares: 1024 },
  };
  assert.deepEqual(parseNewContainer(json(full)), full);
});

test("unknown keys are ignored at every level", () => {
  const extra = {
    restartPolicy: "never",
    systemMountsInfo: { devShmSize: 1 },
    process: { ...process, x: [1, { y: null }] },
    fsmap: [{ source: "a", path: "/a", readOnly: false, dockerVolume: false, x: 1 }],
  };
  assert.deepEqual(Object.keys(parseNewContainer(container(extra)).process), [
    ...["id", "additionalGroups", "terminal", "stdio", "stderr", "args", "envs", "workdir"],
  ]);
});

test("null stands for absent, and so does an empty string where none makes sense", () => {
  const nulls = { volumes: null, fsmap: null, sysctl: null, ports: null, readOnly: null, fstype: null };
  assert.deepEqual(parseNewContainer(container(nulls)), parseNewContainer(container()));
  assert.deepEqual(
    parseNewContainer(container({ fstype: "", addr: "" })),
    parseNewContainer(container({ process: { ...process, id: "", user: "", group: "", workdir: "" } })),
  );
});

test("the address of the root may have the name of Clear Containers 3", () => {
  assert.equal(parseNewContainer(container({ scsiAddr: "0:4" })).addr, "0:4");
});

test("devices have a kind and numbers that the kernel knows", () => {
  const device = { path: "/dev/x", type: "c", major: 1, minor: 3 };
  refuses({ devices: [{ ...device, type: "x" }] }, "devices[0].type", /one of c, b, u, p/);
  refuses({ devices: [{ ...device, major: 4096 }] }, "devices[0].major", /from 0 to 4095/);
  refuses({ devices: [{ ...device, minor: 2 ** 20 }] }, "devices[0].minor", /from 0 to/);
  refuses({ devices: [{ ...device, fileMode: 0o10000 }] }, "devices[0].fileMode", /from 0 to/);
  refuses({ devices: [{ ...device, uid: 2 ** 32 - 1 }] }, "devices[0].uid", /from 0 to/);
});

test("what is required must be there", () => {
  refuses({ mounts: [{ type: "tmpfs" }] }, "mounts[0].destination", /is missing/);
  refuses({ devices: [{ type: "c" }] }, "devices[0].path", /is missing/);
  refuses({ id: undefined }, "id", /^id: is missing$/);
  refuses({ id: null }, "id", /^id: is missing$/);
  refuses({ process: undefined }, "process", /^process: is missing$/);
  refuses({ volumes: [{ device: "sda", mount: "/a" }] }, "volumes[0].fstype", /is missing/);
  refuses({ fsmap: [{ source: "a" }] }, "fsmap[0].path", /is missing/);
  refuses({ ports: [{ hostPort: 1 }] }, "ports[0].containerPort", /is missing/);
});

test("an id is a path component and nothing else", () => {
  for (const id of ["", ".", "..", "a/b", "-a", "_a", "a b", "a\n", "ü", "a".repeat(65), 5, ["a"]]) {
    refuses({ id }, "id", /must be 1 to 64 letters/);
  }
  assert.equal(parseNewContainer(container({ id: "a".repeat(64) })).id.length, 64);
});

test("types are not guessed", () => {
  refuses({ readOnly: "false" }, "readOnly", /must be true or false, not string/);
  refuses({ initialize: 0 }, "initialize", /must be true or false, not number/);
  refuses({ image: 1 }, "image", /must be a string, not number/);
  refuses({ volumes: {} }, "volumes", /must be an array, not object/);
  refuses({ process: [] }, "process", /must be an object, not array/);
  refuses({ sysctl: [] }, "sysctl", /must be an object, not array/);
  refuses({ sysctl: { a: 1 } }, "sysctl[0]", /must be a string, not number/);
  refuses({ ports: [{ containerPort: 65536 }] }, "ports[0].containerPort", /from 0 to 65535/);
});

test("strings are bounded and free of NULs", () => {
  refuses({ rootfs: "a\0b" }, "rootfs", /NUL/);
  refuses({ image: "\ud800" }, "image", /valid Unicode/);
  for (const fstype of ["a\nb", "\x7f"]) refuses({ fstype }, "fstype", /control characters/);
  refuses({ sysctl: { "a\0": "1" } }, "sysctl[0]", /NUL/);
  refuses({ rootfs: "a".repeat(4096) }, "rootfs", /longer than 4095 bytes/);
  // 3 bytes each: 4095 exactly, then more.
  assert.equal(parseNewContainer(container({ rootfs: "€".repeat(1365) })).rootfs.length, 1365);
  refuses({ rootfs: `${"€".repeat(1365)}a` }, "rootfs", /longer than 4095 bytes/);
  // 4 bytes each: 4092 and three more, then one too many.
  assert.equal(parseNewContainer(container({ rootfs: `${"😀".repeat(1023)}aaa` })).rootfs.length, 2049);
  refuses({ rootfs: `${"😀".repeat(1023)}aaaa` }, "rootfs", /longer than 4095 bytes/);
});

test("arrays and maps are bounded", () => {
  const many = Array.from({ length: 4097 }, (_, i) => `a${i}`);
  refuses({ process: { ...process, args: many } }, "process.args", /more than 4096/);
  refuses({ sysctl: Object.fromEntries(many.map((key) => [key, ""])) }, "sysctl", /more than 4096/);
  const most = parseNewContainer(container({ process: { ...process, args: many.slice(1) } }));
  assert.equal(most.process.args.length, 4096);
});

test("a key called __proto__ is a key like any other", () => {
  const text = '{"id":"c1","process":{"stdio":1,"stderr":2,"args":["a"]},"sysctl":{"__proto__":"1"}}';
  const { sysctl } = parseNewContainer(new TextEncoder().encode(text));
  assert.deepEqual(Object.entries(sysctl), [["__proto__", "1"]]);
  assert.equal(Object.getPrototypeOf(sysctl), Object.prototype);
  const polluted = '{"__proto__":{"id":"c1"},"process":{"stdio":1,"stderr":2,"args":["a"]}}';
  assert.throws(() => parseNewContainer(new TextEncoder().encode(polluted)), { path: "id" });
});
