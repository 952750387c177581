import type { LinuxResources as ResourcesMessage } from "@husk/wire/kata";
import type { MessageInit } from "@husk/wire/protobuf";
import type {
  LinuxBlockIo,
  LinuxCpu,
  LinuxMemory,
  LinuxResources,
  LinuxThrottleDevice,
} from "../../types/index.ts";

/** What a container may use, as the agent's protocol has it. What is left out is not limited, or stays as it is. */
export function resourcesMessage(resources: LinuxResources): MessageInit<ResourcesMessage> {
  const { cpu, memory, pids, blockIO, hugepageLimits = [] } = resources;
  return {
    CPU: cpu && cpuMessage(cpu),
    Memory: memory && memoryMessage(memory),
    Pids: pids && { Limit: BigInt(pids.limit) },
    BlockIO: blockIO && blockMessage(blockIO),
    HugepageLimits: hugepageLimits.map(({ pageSize, limit }) => ({
      Pagesize: pageSize,
      Limit: BigInt(limit),
    })),
  };
}

function cpuMessage({ shares, quota, period, cpus, mems }: LinuxCpu): MessageInit<ResourcesMessage>["CPU"] {
  return { Shares: big(shares), Quota: big(quota), Period: big(period), Cpus: cpus, Mems: mems };
}

function memoryMessage({ limit, reservation, swap }: LinuxMemory): MessageInit<ResourcesMessage>["Memory"] {
  return { Limit: big(limit), Reservation: big(reservation), Swap: big(swap) };
}

function blockMessage(blockIo: LinuxBlockIo): MessageInit<ResourcesMessage>["BlockIO"] {
  return {
    Weight: blockIo.weight,
    ThrottleReadBpsDevice: throttles(blockIo.throttleReadBpsDevice),
    ThrottleWriteBpsDevice: throttles(blockIo.throttleWriteBpsDevice),
    ThrottleReadIOPSDevice: throttles(blockIo.throttleReadIOPSDevice),
    ThrottleWriteIOPSDevice: throttles(blockIo.throttleWriteIOPSDevice),
  };
}

function throttles(devices: readonly LinuxThrottleDevice[] = []) {
  return devices.map(({ major, minor, rate }) => ({
    Major: BigInt(major),
    Minor: BigInt(minor),
    Rate: BigInt(rate),
  }));
}

function big(value: number | undefined): bigint | undefined {
  return value === undefined ? undefined : BigInt(value);
}
