import assert from "node:assert/strict";
import { test } from "node:test";
import { NetInterworkingModel } from "../../types/kinds.ts";
import type { EndpointKind } from "../types.ts";
import { chooseJoin } from "./choose-join.ts";

const choose = (model: keyof typeof NetInterworkingModel, kind: EndpointKind) =>
  chooseJoin(NetInterworkingModel[model], { kind, name: "eth0" });

test("a veth interface is joined by the model that is wanted, by default a filter", () => {
  assert.equal(chooseJoin(undefined, { kind: "veth", name: "eth0" }), "tcFilter");
  for (const [model, joined] of [
    ["default", "tcFilter"],
    ["tcFilter", "tcFilter"],
    ["bridged", "bridged"],
    ["macvtap", "macvtap"],
  ] as const) {
    assert.equal(choose(model, "veth"), joined);
  }
});

test("macvlan and ipvlan interfaces cannot be bridged, and ipvlan takes a filter alone", () => {
  for (const kind of ["macvlan", "ipvlan"] as const) {
    assert.throws(() => choose("bridged", kind), {
      code: "ERR_NOT_SUPPORTED",
      message: /eth0 is a .*bridged$/,
    });
    assert.equal(choose("default", kind), "tcFilter");
  }
  assert.equal(choose("macvtap", "macvlan"), "macvtap");
  assert.equal(choose("macvtap", "ipvlan"), "tcFilter");
});

test("what was made for VMs is taken as it is, and enlightened takes nothing else", () => {
  for (const kind of ["tap", "macvtap", "physical", "vhost-user", "user"] as const) {
    for (const model of ["default", "bridged", "macvtap", "enlightened"] as const) {
      assert.equal(choose(model, kind), "direct");
    }
  }
  for (const kind of ["veth", "macvlan", "ipvlan"] as const) {
    assert.throws(() => choose("enlightened", kind), {
      code: "ERR_NOT_SUPPORTED",
      message: /not made for VMs/,
    });
  }
});
