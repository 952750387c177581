import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeTempRoot } from "../../testing/temp-root.ts";
import type { HypervisorConfig } from "../../types/index.ts";
import type { VfioFunction } from "../vfio.ts";
import { checkHostMemory } from "./host-memory.ts";

/** What a host says of itself: MiB available, huge pages of 2 MiB free and reserved, bytes that may be locked. */
interface Host {
  available?: number;
  free?: number;
  reserved?: number;
  lockable?: string;
  capabilities?: string;
}

function checkOn(
  t: TestContext,
  host: Host,
  config: HypervisorConfig,
  memory = 128,
  vfioDevices: VfioFunction[] = [],
): void {
  const { available = 4096, free = 0, reserved = 0, lockable = "8388608", capabilities = "0" } = host;
  const { base } = makeTempRoot(t);
  const write = (name: string, text: string) => {
    writeFileSync(join(base, name), text);
    return join(base, name);
  };
  const huge = `HugePages_Total: 99\nHugePages_Free: ${free}\nHugePages_Rsvd: ${reserved}\nHugepagesize: 2048 kB\n`;
  checkHostMemory(
    { config, memory, vfioDevices },
    {
      meminfo: write("meminfo", `MemTotal: 1 kB\nMemAvailable: ${available * 1024} kB\n${huge}`),
      limits: write(
        "limits",
        `Limit Soft Hard Units\nMax locked memory         ${lockable} ${lockable} bytes\n`,
      ),
      status: write("status", `Name:\tnode\nCapEff:\t${capabilities.padStart(16, "0")}\n`),
    },
  );
}

test("huge pages must be free, beside those promised to others, and fit the memory", (t) => {
  checkOn(t, { free: 64 }, { hugePages: true });
  for (const host of [{ free: 63 }, { free: 100, reserved: 37 }]) {
    assert.throws(() => checkOn(t, host, { hugePages: true }), {
      code: "ERR_HOST_MEMORY",
      hint: /vm.nr_hugepages/,
    });
  }
  assert.throws(() => checkOn(t, { free: 99 }, { hugePages: true }, 129), { code: "ERR_CONFIG_INVALID" });
});

test("memory that is wanted at once must be there", (t) => {
  const poor = { available: 100, lockable: "unlimited" };
  checkOn(t, poor, {});
  checkOn(t, poor, { realtime: true });
  for (const config of [{ memPrealloc: true }, { realtime: true, mlock: true }]) {
    assert.throws(() => checkOn(t, poor, config), { code: "ERR_HOST_MEMORY", message: /100 MiB available/ });
  }
});

test("locking needs a limit that allows it or CAP_IPC_LOCK, and realtime beside it", (t) => {
  const config = { realtime: true, mlock: true };
  assert.throws(() => checkOn(t, {}, config), { code: "ERR_HOST_MEMORY", hint: /RLIMIT_MEMLOCK/ });
  checkOn(t, { lockable: "134217728" }, config);
  checkOn(t, { lockable: "unlimited" }, config);
  checkOn(t, { capabilities: "4000" }, config);
  assert.throws(() => checkOn(t, { capabilities: "bfff" }, config), { code: "ERR_HOST_MEMORY" });
  const vfioDevices: VfioFunction[] = [{ kind: "pci", address: "0000:01:00.0" }];
  assert.throws(() => checkOn(t, {}, {}, 128, vfioDevices), { code: "ERR_HOST_MEMORY" });
  checkOn(t, { lockable: "unlimited" }, {}, 128, vfioDevices);
  assert.throws(() => checkOn(t, {}, { mlock: true }), { code: "ERR_CONFIG_INVALID", message: /mlock/ });
});
