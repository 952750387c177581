import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as kinds from "../types/kinds.ts";
import * as parsers from "./parse-kind.ts";

const cases: [parse: (name: string) => string | number, kind: Record<string, string | number>][] = [
  [parsers.parseHypervisorType, kinds.HypervisorType],
  [parsers.parseAgentType, kinds.AgentType],
  [parsers.parseSocketType, kinds.SocketType],
  [parsers.parseProxyType, kinds.ProxyType],
  [parsers.parseShimType, kinds.ShimType],
  [parsers.parseNetworkModel, kinds.NetworkModel],
  [parsers.parseState, kinds.State],
  [parsers.parseProcessListFormat, kinds.ProcessListFormat],
];

test("the names are those of virtcontainers 1.0, and ours behind them", () => {
  assert.deepEqual(
    [...cases.map(([, kind]) => kind), kinds.NetInterworkingModel].map((kind) => Object.keys(kind).join(" ")),
    [
      "qemu mock",
      "noop hyperstart kata",
      "vsock unix",
      "noopProxy noProxy ccProxy kataProxy",
      "ccShim noopShim kataShim",
      "noop CNI CNM user",
      "ready running paused stopped",
      "json table",
      "default bridged macvtap enlightened invalid tcFilter",
    ],
  );
});

test("each name of an enumeration is its own value, and parsed", () => {
  for (const [parse, kind] of cases) {
    for (const [name, value] of Object.entries(kind)) {
      assert.equal(name, value);
      assert.equal(parse(name), value);
    }
  }
});

test("any other name is refused, with the nearest one", () => {
  for (const [parse, kind] of [...cases, [parsers.parseNetInterworkingModel, {}] as (typeof cases)[0]]) {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.constantFrom("", "constructor", "__proto__", "invalid")),
        (name) => {
          if (Object.hasOwn(kind, name)) return;
          assert.throws(() => parse(name), { code: "ERR_CONFIG_INVALID" });
        },
      ),
    );
  }
  assert.throws(() => parsers.parseHypervisorType("qmeu"), {
    message: 'unknown hypervisor type "qmeu"; did you mean "qemu"?',
  });
  assert.throws(() => parsers.parseNetworkModel("cni"), { message: /did you mean "CNI"\?/ });
  assert.throws(() => parsers.parseSocketType("pipe-to-nowhere"), { message: /known are: vsock, unix/ });
});

test("interworking models have the numbers of virtcontainers 1.0, and names that go round", () => {
  assert.deepEqual(Object.values(kinds.NetInterworkingModel), [0, 1, 2, 3, 4, 5]);
  for (const model of [0, 1, 2, 3, 5]) {
    assert.ok(parsers.isNetInterworkingModel(model));
    assert.equal(parsers.parseNetInterworkingModel(parsers.formatNetInterworkingModel(model)), model);
  }
  for (const model of [-1, 4, 1.5, Number.NaN]) {
    assert.ok(!parsers.isNetInterworkingModel(model));
    assert.throws(() => parsers.formatNetInterworkingModel(model), { code: "ERR_CONFIG_INVALID" });
  }
});
