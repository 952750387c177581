import assert from "node:assert/strict";
import { test } from "node:test";
import { checkFactoryConfig } from "./factory-schema.ts";

test("how VMs are made ready is checked", () => {
  checkFactoryConfig({});
  checkFactoryConfig({ template: true, vmCacheNumber: 0, vmCacheEndpoint: "/run/husk/cache.sock" });
  checkFactoryConfig({ template: true, vmCacheTiers: { prepared: 4, rehearsed: 1 } });
  const invalid = { code: "ERR_CONFIG_INVALID" };
  assert.throws(() => checkFactoryConfig({ vmCacheNumber: -1 }), invalid);
  assert.throws(() => checkFactoryConfig({ vmCacheNumber: 1.5 }), invalid);
  assert.throws(() => checkFactoryConfig({ vmCacheNumber: 1, vmCacheTiers: { paused: 1 } }), invalid);
  assert.throws(() => checkFactoryConfig({ vmCacheTiers: { prepared: 1 } }), invalid);
  assert.throws(() => checkFactoryConfig({ vmCacheEndpoint: `/${"x".repeat(107)}` }), invalid);
  assert.throws(() => checkFactoryConfig({ vmCacheTier: {} }), { code: "ERR_CONFIG_UNKNOWN_FIELD" });
});
