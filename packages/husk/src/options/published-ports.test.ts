import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parsePublishedPorts } from "./published-ports.ts";

describe("parsePublishedPorts", () => {
  it("reads ports, addresses and protocols", () => {
    const [tcp, udp, four, six] = parsePublishedPorts([
      "8080:80",
      "53:5353/udp",
      "127.0.0.1:1:2/tcp",
      "[::1]:3:4",
    ]);
    assert.deepEqual(tcp, { protocol: "tcp", hostPort: 8080, containerPort: 80 });
    assert.deepEqual(udp, { protocol: "udp", hostPort: 53, containerPort: 5353 });
    assert.deepEqual(four, { protocol: "tcp", hostAddress: "127.0.0.1", hostPort: 1, containerPort: 2 });
    assert.deepEqual(six, { protocol: "tcp", hostAddress: "::1", hostPort: 3, containerPort: 4 });
  });

  it("takes ranges apart", () => {
    const ports = parsePublishedPorts(["8000-8002:80-82/udp"]);
    assert.deepEqual(
      ports.map(({ hostPort, containerPort }) => [hostPort, containerPort]),
      [
        [8000, 80],
        [8001, 81],
        [8002, 82],
      ],
    );
    assert.equal(parsePublishedPorts(["1000-1255:1-256"]).length, 256);
  });

  const refused = [
    ...["", "80", ":80", "80:", "0:80", "80:65536", "80:80/sctp", "80:80/", "a:b", "80:80:80:80", "1e3:80"],
    ...[
      "127.0.0:80:80",
      "localhost:80:80",
      "::1:80:80",
      "[127.0.0.1]:80:80",
      "[::1]80:80",
      "80-:80",
      "82-80:82-80",
    ],
    ...["8000-8001:80", "80:8000-8001", "1-1000:1-1000", " 80:80"],
  ];
  for (const text of refused) {
    it(`refuses ${JSON.stringify(text)}`, () =>
      assert.throws(() => parsePublishedPorts([text]), { code: "ERR_USAGE" }));
  }

  it("refuses more ports than one pod can have", () => {
    assert.throws(() => parsePublishedPorts(["1000-1255:1-256", "80:80"]), { message: /257/ });
  });
});
