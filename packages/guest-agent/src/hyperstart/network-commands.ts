/** The commands about interfaces and routes. Reference: hyperstart.md 2.12. */
import { parseInterface, parseRoutes } from "@husk/wire/hyperstart";
import { removeInterface, setUpInterface } from "../core/network/interfaces.ts";
import { addRoutes } from "../core/network/routes.ts";
import type { Answer } from "./server.ts";

export async function setupInterface(payload: Uint8Array): Promise<Answer> {
  await setUpInterface(parseInterface(payload));
  return undefined;
}

export function deleteInterface(payload: Uint8Array): Answer {
  removeInterface(parseInterface(payload));
  return undefined;
}

export function setupRoute(payload: Uint8Array): Answer {
  addRoutes(parseRoutes(payload));
  return undefined;
}
