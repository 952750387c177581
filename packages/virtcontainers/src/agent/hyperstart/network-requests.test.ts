import assert from "node:assert/strict";
import { test } from "node:test";
import { parseInterface, parseRoutes } from "@husk/wire/hyperstart";
import type { GuestInterface, InterfaceRoute } from "../../network/types.ts";
import { interfaceRequest, routesRequest } from "./network-requests.ts";

const bytes = (value: object) => new TextEncoder().encode(JSON.stringify(value));

const eth0: GuestInterface = {
  name: "eth0",
  mac: "02:00:00:00:00:01",
  mtu: 1400,
  addresses: [
    { address: "10.1.0.2", prefix: 24 },
    { address: "fd00::2", prefix: 64 },
  ],
  routes: [],
  neighbours: [],
};

test("an interface comes to the agent as it is meant", () => {
  const neighbours = [{ address: "10.1.0.1", mac: "02:00:00:00:00:02" }];
  assert.deepEqual(parseInterface(bytes(interfaceRequest({ ...eth0, neighbours }))), {
    device: "",
    newDeviceName: "eth0",
    macAddr: "02:00:00:00:00:01",
    mtu: 1400,
    ipAddresses: [
      { ipAddress: "10.1.0.2", netMask: "24" },
      { ipAddress: "fd00::2", netMask: "64" },
    ],
    neighbors: [{ ipAddress: "10.1.0.1", macAddr: "02:00:00:00:00:02" }],
  });
  assert.ok(!("neighbors" in interfaceRequest(eth0)));
});

test("routes name their interface, and those on a link come first", () => {
  const routes: InterfaceRoute[] = [
    { dest: "default", family: "inet", gateway: "10.1.0.1", source: "10.1.0.2", metric: 100 },
    { dest: "default", family: "inet6", gateway: "fe80::1", metric: 1024, onLink: true },
    { dest: "10.2.0.0/16", family: "inet" },
  ];
  const eth1 = { ...eth0, name: "eth1", routes: [{ dest: "default", family: "inet6" as const }] };
  assert.deepEqual(parseRoutes(bytes(routesRequest([{ ...eth0, routes }, eth1]))), [
    { dest: "10.2.0.0/16", device: "eth0" },
    { dest: "::/0", device: "eth1" },
    { dest: "default", device: "eth0", gateway: "10.1.0.1", src: "10.1.0.2", metric: 100 },
    { dest: "::/0", device: "eth0", gateway: "fe80::1", metric: 1024, onLink: true },
  ]);
  assert.deepEqual(routesRequest([eth0]), { routes: [] });
});
