import type { ShimState } from "@husk/wire/module-shim";
import { readDeleting } from "../state/deleting.ts";
import type { ContainerPlaces } from "../state/layout.ts";
import type { ContainerRecord } from "../state/record.ts";
import { isContainerAlive } from "../state/shim-state.ts";
import type { ContainerInfo, ContainerState, ContainerStatus } from "../types.ts";

/** Tells of a container what was asked for it and what has become of it. */
export function describeContainer(
  places: ContainerPlaces,
  record: ContainerRecord,
  state: ShimState | undefined,
): ContainerInfo {
  const { name, flist, tags, network, mounts } = record;
  return {
    id: name,
    ...{ name, flist, tags },
    ...(network === undefined ? {} : { network: { namespace: network } }),
    mounts,
    ours: {
      ns: record.ns,
      state: stateOf(places, state),
      ...(state ? lifeOf(state) : { restarts: 0 }),
      createdAt: record.createdAt,
      args: record.command?.args ?? [],
      logPath: places.log,
      backend: record.backend.kind,
    },
  };
}

function stateOf(places: ContainerPlaces, state: ShimState | undefined): ContainerState {
  return readDeleting(places) === "no" ? (state?.state ?? "creating") : "deleting";
}

type Life = Pick<ContainerStatus, "pid" | "exitCode" | "restarts" | "reason" | "startedAt" | "exitedAt">;

function lifeOf(state: ShimState): Life {
  const exitCode = state.exitSignal === undefined ? state.exitCode : 128 + state.exitSignal;
  const reason = reasonOf(state);
  return {
    ...(isContainerAlive(state) ? { pid: state.pid } : {}),
    ...(exitCode === undefined ? {} : { exitCode }),
    restarts: state.restarts,
    ...(reason ? { reason } : {}),
    ...(state.startedAt === undefined ? {} : { startedAt: state.startedAt }),
    ...(state.exitedAt === undefined ? {} : { exitedAt: state.exitedAt }),
  };
}

/** All that there is to know beside numbers. */
function reasonOf({ reason, exitUnknown, oomKilled, droppedBytes, warning }: ShimState): string {
  const parts = [
    reason,
    oomKilled && "it ran out of memory",
    exitUnknown && "nobody knows how it ended: its shim was not its parent",
    droppedBytes && `${droppedBytes} bytes of its output could not be written to the log`,
    warning,
  ];
  return parts.filter(Boolean).join("; ");
}
