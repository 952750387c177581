/** The guest's interfaces and routes. Reference: virtcontainers.md 8.1, 8.2. */

import type {
  AddARPNeighborsRequest,
  AgentService,
  UpdateInterfaceRequest,
  UpdateRoutesRequest,
} from "@husk/wire/kata";
import { StatusCode, TtrpcError } from "@husk/wire/ttrpc";
import { listInterfaces, updateInterface } from "../core/network/declared-interface.ts";
import { listRoutes, updateRoutes } from "../core/network/declared-routes.ts";
import { addArpNeighbors } from "../core/network/neighbours.ts";
import type { Methods } from "./services.ts";

async function setInterface({ interface: spec }: UpdateInterfaceRequest) {
  if (spec === undefined)
    throw new TtrpcError(StatusCode.INVALID_ARGUMENT, "there is no interface to update");
  return updateInterface(spec);
}

function setRoutes({ routes }: UpdateRoutesRequest) {
  if (routes === undefined)
    throw new TtrpcError(StatusCode.INVALID_ARGUMENT, "there are no routes to update");
  return { Routes: updateRoutes(routes.Routes) };
}

function addNeighbours({ neighbors }: AddARPNeighborsRequest): object {
  addArpNeighbors(neighbors?.ARPNeighbors ?? []);
  return {};
}

export const networkMethods: Methods<typeof AgentService> = {
  UpdateInterface: setInterface,
  UpdateRoutes: setRoutes,
  ListInterfaces: () => ({ Interfaces: listInterfaces() }),
  ListRoutes: () => ({ Routes: listRoutes() }),
  AddARPNeighbors: addNeighbours,
};
