import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNewContainer, parsePod } from "@husk/wire/hyperstart";
import type { Cmd } from "../../types/index.ts";
import type { ContainerStorage } from "../types.ts";
import { containerRequest, podRequest, processRequest } from "./requests.ts";

const SEQS = { stdio: 7, stderr: 8 };

test("every field of a command that the agent knows reaches it", () => {
  const cmd: Cmd = {
    args: ["sh", "-c", "id"],
    envs: [{ var: "A", value: "b=c" }],
    workDir: "/srv",
    user: "nobody",
    primaryGroup: "100",
    supplementaryGroups: ["audio", "7"],
    interactive: true,
    noNewPrivileges: true,
  };
  const { id, stdio, stderr, ...request } = processRequest("init", cmd, SEQS);
  assert.deepEqual([id, stdio, stderr], ["init", 7, 8]);
  assert.deepEqual(request, {
    args: ["sh", "-c", "id"],
    envs: [{ env: "A", value: "b=c" }],
    workdir: "/srv",
    user: "nobody",
    group: "100",
    additionalGroups: ["audio", "7"],
    terminal: true,
    noNewPrivileges: true,
  });
});

test("what a command leaves open is the agent's to decide", () => {
  const request = processRequest("init", { args: ["true"] }, SEQS);
  assert.equal(request.workdir, "/");
  assert.equal(request.terminal, false);
  assert.ok(!("user" in request) && !("group" in request));
});

const config = { id: "c", rootFs: "/r", cmd: { args: ["sh"] } };
const nothing: ContainerStorage = {
  root: { drive: "drive0", fstype: "erofs" },
  shared: [],
  mounts: [],
  devices: [],
};
const request = (storage: Partial<ContainerStorage>) =>
  containerRequest({ config, storage: { ...nothing, ...storage } }, SEQS);

/** What an agent makes of a request. */
function asRead(value: object) {
  return parseNewContainer(new TextEncoder().encode(JSON.stringify(value)));
}

test("a container with a disk alone says nothing that other agents would not know", () => {
  const { process: _, ...plain } = request({});
  assert.deepEqual(plain, {
    ...{ id: "c", rootfs: "", image: "drive0", fstype: "erofs" },
    ...{ initialize: true, readOnly: false },
  });
  const at = { drive: "drive0", addr: "0:1", fstype: "erofs" };
  assert.equal(request({ root: at }).addr, "0:1");
});

test("a root in the pod's share is a folder of it", () => {
  const { image, fstype } = request({ root: { share: "c/rootfs" } });
  assert.deepEqual([image, fstype], ["c/rootfs", undefined]);
});

test("mounts and devices come to the agent as they are meant", () => {
  const read = asRead(
    request({
      shared: [
        { source: "c/mount0", destination: "/data", readOnly: true },
        { source: "", tag: "vol", destination: "/vol", readOnly: false },
      ],
      mounts: [{ destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["size=1m"] }],
      devices: [
        { path: "/dev/d", type: "b", major: 7, minor: 0, disk: "drive1", addr: "0:2", fileMode: 0o600 },
      ],
    }),
  );
  assert.deepEqual(read.fsmap, [
    { source: "c/mount0", path: "/data", readOnly: true, dockerVolume: false },
    { source: "", path: "/vol", readOnly: false, dockerVolume: false, tag: "vol" },
  ]);
  assert.deepEqual(read.mounts, [
    { destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["size=1m"] },
  ]);
  assert.deepEqual(read.devices, [
    { path: "/dev/d", type: "b", major: 7, minor: 0, fileMode: 0o600, disk: "drive1", addr: "0:2" },
  ]);
});

test("ports come to the agent as they are meant, and none as nothing", () => {
  const ports = [
    { hostPort: 8080, containerPort: 80 },
    { hostPort: 0, containerPort: 53, protocol: "udp" as const },
  ];
  const withPorts = containerRequest({ config: { ...config, ports }, storage: nothing }, SEQS);
  assert.deepEqual(asRead(withPorts).ports, [
    { hostPort: 8080, containerPort: 80, protocol: "tcp" },
    { hostPort: 0, containerPort: 53, protocol: "udp" },
  ]);
  const none = containerRequest({ config: { ...config, ports: [] }, storage: nothing }, SEQS);
  assert.ok(!("ports" in none) && !("ports" in request({})));
});

test("a pod's name servers and white lists reach the agent", () => {
  const pod = {
    hostname: "h",
    dns: { servers: ["10.0.2.3", "fd00::3"], search: ["a.example", "b.example"], options: ["ndots:2"] },
    portmappingWhiteLists: { internalNetworks: ["10.0.0.0/8"], externalNetworks: ["::/0"] },
  };
  const read = parsePod(new TextEncoder().encode(JSON.stringify(podRequest(pod))));
  assert.deepEqual([read.dns, read.dnsSearch, read.dnsOptions], Object.values(pod.dns));
  assert.deepEqual(read.portmappingWhiteLists, pod.portmappingWhiteLists);
  const withoutServers = { servers: [], search: ["a.example"], options: [] };
  assert.deepEqual(podRequest({ hostname: "h", dns: withoutServers }), { hostname: "h" });
});

test("a pod names its share only when it has one", () => {
  assert.deepEqual(podRequest({ hostname: "h" }), { hostname: "h" });
  const text = JSON.stringify(podRequest({ hostname: "h", shareDir: "huskShared" }));
  assert.equal(parsePod(new TextEncoder().encode(text)).shareDir, "huskShared");
});
