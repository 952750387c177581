import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { PortMapping } from "@husk/virtcontainers";
import { describePorts } from "./port-text.ts";

const ports = (first: number, length: number, more: Partial<PortMapping> = {}): PortMapping[] =>
  Array.from({ length }, (_, index) => ({ hostPort: first + index, containerPort: 80 + index, ...more }));

describe("describePorts", () => {
  it("tells a port with its address and protocol", () => {
    const [four, six] = [ports(8080, 1, { hostAddress: "127.0.0.1" }), ports(1, 1, { hostAddress: "::1" })];
    assert.equal(describePorts([...four, ...six]), "127.0.0.1:8080->80/tcp, [::1]:1->80/tcp");
  });

  it("puts ranges together, but not what differs", () => {
    const mappings = [...ports(8000, 3), ...ports(8003, 2, { protocol: "udp" }), ...ports(9000, 1)];
    assert.equal(describePorts(mappings), "8000-8002->80-82/tcp, 8003-8004->80-81/udp, 9000->80/tcp");
    assert.equal(describePorts([]), "");
  });
});
