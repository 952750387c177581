/** The guest itself: what it is, its clock, its processors and memory. Reference: virtcontainers.md 8.1, 8.2. */

import * as sys from "tiny:sys";
import { CLOCK_REALTIME, errorText, exists } from "@husk/tiny";
import type {
  AgentService,
  GuestDetailsRequest,
  MemHotplugByProbeRequest,
  OnlineCPUMemRequest,
  ReseedRandomDevRequest,
  SetGuestDateTimeRequest,
} from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { deviceHandlers } from "../core/device-handlers/index.ts";
import { renewMachineId } from "../core/machine-id.ts";
import { canProbe, probeBlocks, readBlockSize } from "../core/memory-blocks.ts";
import { keepCpusOnline, keepOnline, waitForCpus } from "../core/processors.ts";
import { reseed } from "../core/random-device.ts";
import { storageDrivers } from "../core/storages/drivers.ts";
import { AGENT_VERSION } from "../version.ts";
import type { Call, Methods } from "./services.ts";

/** Most CPUs that one request may wait for. */
const MAX_CPUS = 1024;
/** Most blocks of memory that one request may tell of. */
const MAX_BLOCKS = 4096;
/** Most bytes that are taken as random at once: the kernel's generator holds 32. */
const MAX_SEED_BYTES = 4096;

const MICROSECONDS = 1_000_000n;
/** Seconds since 1970 that the kernel's clock can tell, from 1970 to 2232. */
const MAX_SECONDS = 8_277_292_036n;

function refuse(problem: string): TtrpcError {
  return new TtrpcError(StatusCode.INVALID_ARGUMENT, problem);
}

function getGuestDetails({ memBlockSize, memHotplugProbe }: GuestDetailsRequest) {
  return {
    memBlockSizeBytes: memBlockSize ? readBlockSize() : 0n,
    supportMemHotplugProbe: memHotplugProbe && canProbe(),
    agentDetails: {
      version: AGENT_VERSION,
      initDaemon: sys.getpid() === 1,
      deviceHandlers: [...deviceHandlers.keys()],
      storageHandlers: [...storageDrivers.keys()],
      supportsSeccomp: exists("/proc/sys/kernel/seccomp"),
    },
  };
}

function setGuestDateTime({ Sec, Usec }: SetGuestDateTimeRequest): object {
  if (Sec < 0n || Sec > MAX_SECONDS || Usec < 0n || Usec >= MICROSECONDS)
    throw refuse(`${Sec} seconds and ${Usec} microseconds are no time`);
  sys.setClock(CLOCK_REALTIME, Number(Sec), Number(Usec) * 1000);
  return {};
}

function reseedRandomDev({ data }: ReseedRandomDevRequest): object {
  if (data.length === 0 || data.length > MAX_SEED_BYTES)
    throw refuse(`random data have 1 to ${MAX_SEED_BYTES} bytes, not ${data.length}`);
  reseed(data);
  // The host does so to a VM that began as another's copy.
  renewMachineId();
  return {};
}

async function onlineCpuMem({ wait, nbCpus, cpuOnly }: OnlineCPUMemRequest, call: Call): Promise<object> {
  if (nbCpus > MAX_CPUS) throw refuse(`${nbCpus} CPUs are more than ${MAX_CPUS}`);
  await (cpuOnly ? keepCpusOnline() : keepOnline());
  if (!wait || nbCpus === 0) return {};
  await waitForCpus(nbCpus, call.onAbandoned).catch((error: unknown) => {
    throw new TtrpcError(StatusCode.DEADLINE_EXCEEDED, errorText(error));
  });
  return {};
}

function memHotplugByProbe({ memHotplugProbeAddr }: MemHotplugByProbeRequest): object {
  if (memHotplugProbeAddr.length > MAX_BLOCKS)
    throw refuse(`${memHotplugProbeAddr.length} blocks of memory are more than ${MAX_BLOCKS}`);
  if (!canProbe())
    throw new TtrpcError(
      StatusCode.FAILED_PRECONDITION,
      "the guest's kernel sees by itself what memory is plugged in: it has no probe",
    );
  probeBlocks(memHotplugProbeAddr);
  return {};
}

export const machineMethods: Methods<typeof AgentService> = {
  GetGuestDetails: getGuestDetails,
  SetGuestDateTime: setGuestDateTime,
  ReseedRandomDev: reseedRandomDev,
  OnlineCPUMem: onlineCpuMem,
  MemHotplugByProbe: memHotplugByProbe,
};
