import { join } from "node:path";
import { buildFolders, makeAgent, makeDemoRootfs, makeInitramfs, makeKernel } from "@husk/guest-image/build";
import { makeResidents } from "@husk/resident/build";
import { bundleCommand } from "./bundle-command.ts";
import type { BuildStep } from "./step.ts";

const LOCK = "package-lock.json";
const IMAGE = "packages/guest-image/src";

/** The steps of the build, in the order in which they need each other. */
export const BUILD_STEPS: readonly BuildStep[] = [
  {
    name: "agent",
    title: "building the guest's agent",
    inputs: ["packages/guest-agent", "packages/tiny", "packages/wire", LOCK],
    outputs: ["build/guest/agent"],
    hint: "the source of QuickJS comes from Debian's mirror: is there a way to it?",
    run: ({ root, output }, onProgress) =>
      makeAgent(buildFolders(output), join(root, "packages/guest-agent/src/main.ts"), onProgress),
  },
  {
    name: "resident",
    title: "building the proxies and shims",
    inputs: ["proxy", "resident", "shim", "tiny", "wire"].map((name) => `packages/${name}`).concat(LOCK),
    outputs: ["build/resident/husk-resident"],
    hint: "the source of QuickJS comes from Debian's mirror: is there a way to it?",
    run: ({ root, output }, onProgress) =>
      makeResidents(output, join(root, "packages/resident/src/main.ts"), onProgress),
  },
  {
    name: "kernel",
    title: "making the guest's kernel",
    inputs: ["build", "elf", "extract-vmlinux", "fetch-kernel", "lz4", "modules", "unpack-kernel"].map(
      (name) => `${IMAGE}/${name}.ts`,
    ),
    outputs: ["build/guest/vmlinux", "build/guest/kernel.json", "build/guest/modules/order.json"],
    hint: "the kernel comes from Debian's mirror by apt: does `apt-get update` work?",
    run: ({ output }, onProgress) => makeKernel(buildFolders(output), onProgress),
  },
  {
    name: "initramfs",
    title: "packing the initramfs",
    inputs: ["build/guest/agent", "build/guest/modules", `${IMAGE}/cpio.ts`, `${IMAGE}/initramfs.ts`],
    outputs: ["build/guest/initramfs.cpio"],
    hint: "remove build/stamps and try again",
    run: ({ output }) => makeInitramfs(buildFolders(output)),
  },
  {
    name: "rootfs",
    title: "making the demo's root file system",
    inputs: ["/bin/busybox", `${IMAGE}/rootfs.ts`],
    outputs: ["build/rootfs/busybox/bin/busybox"],
    hint: "is Debian's busybox-static installed?",
    run: ({ output }) => makeDemoRootfs(buildFolders(output)),
  },
  {
    name: "command",
    title: "bundling the command line",
    inputs: [
      "scripts/build/bundle-command.ts",
      "packages/husk",
      "packages/container-module",
      "packages/virtcontainers",
      "packages/wire",
      "packages/guest-image",
      LOCK,
    ],
    outputs: [
      "husk.cjs",
      "husk-vm-runtime.cjs",
      "husk/main.cjs",
      "husk/vm-runtime.cjs",
      "husk/container-module.cjs",
    ].map((path) => `build/${path}`),
    hint: "npm run lint may say more",
    run: ({ root, output }) => bundleCommand(root, output),
  },
];
