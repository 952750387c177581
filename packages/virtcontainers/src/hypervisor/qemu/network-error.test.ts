import assert from "node:assert/strict";
import { test } from "node:test";
import { findNetworkError } from "./network-error.ts";

const told: [words: string, code: string, message: RegExp][] = [
  [
    `qemu-system-x86_64: -netdev {…}: Could not set up host forwarding rule 'tcp:127.0.0.1:80-:80'`,
    "ERR_PORT_IN_USE",
    /127\.0\.0\.1:80\/tcp/,
  ],
  ["Could not set up host forwarding rule 'udp::5353-:53'", "ERR_PORT_IN_USE", /port 5353\/udp/],
  [
    "qemu-system-x86_64: -netdev {…}: could not configure /dev/net/tun (tap2_husk): Invalid argument",
    "ERR_NETWORK_LINK",
    /tap2_husk.*Invalid argument/,
  ],
  [
    "qemu-system-x86_64: could not open /dev/net/tun: No such file or directory",
    "ERR_NETWORK_LINK",
    /\/dev\/net\/tun.*No such file/,
  ],
  [
    "-chardev socket,id=chardev-eth0,path=/s: Failed to connect to '/s': Connection refused",
    "ERR_NETWORK_LINK",
    /vhost-user.*\/s: Connection refused/,
  ],
  ["nsenter: cannot open /run/netns/x: No such file", "ERR_NETWORK_NAMESPACE", /cannot open \/run\/netns\/x/],
];

for (const [words, code, message] of told) {
  test(`told as ${code}: ${words}`, () => {
    const error = findNetworkError(words, "cause");
    assert.equal(error?.code, code);
    assert.match(error.message, message);
    assert.equal(error.cause, "cause");
  });
}

test("other words are somebody else's matter", () => {
  assert.equal(findNetworkError("qemu-system-x86_64: no such option", undefined), undefined);
});
