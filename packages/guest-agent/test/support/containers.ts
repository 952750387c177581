/** Pods and containers for the tests. */
import { after, before } from "node:test";
import { Command, type ContainerRequest, type ProcessRequest } from "@husk/wire/hyperstart";
import { type Disk, needsDisk, plugDisk } from "./disk.ts";
import type { GuestProcess } from "./guest-process.ts";
import { Session } from "./session.ts";
import type { StageOptions } from "./stage.ts";

let disk: Disk;

/** Plugs a disk in for the tests of this file. */
export function useDisk(): void {
  before(async () => {
    if (!needsDisk.skip) disk = await plugDisk();
  });
  after(() => disk?.[Symbol.asyncDispose]());
}

/** A shell of the image with a script. */
export const sh = (script: string) => ["/bin/sh", "-c", script];

/** What may be said of a container and its first process. */
export type Options = Partial<Omit<ContainerRequest, "process">> & { process?: Partial<ProcessRequest> };

/** A container of the disk, and what to send for it. */
export function describeContainer(
  session: Session,
  id: string,
  args: string[],
  { process: more, ...options }: Options,
) {
  const { process, spec } = session.prepare(args, id, { id: "init", ...more });
  return { process, request: { id, image: disk.name, fstype: disk.fstype, ...options, process: spec } };
}

/** Starts a container; gives its first process. */
export async function startContainer(
  session: Session,
  id: string,
  args: string[],
  options: Options = {},
): Promise<GuestProcess> {
  const { process, request } = describeContainer(session, id, args, options);
  await session.ask(Command.NEWCONTAINER, request);
  return process;
}

/** An agent whose pod is started. */
export async function startPod(
  payload: object = { hostname: "pod" },
  options: StageOptions = {},
): Promise<Session> {
  const session = await Session.start(options);
  try {
    await session.ask(Command.STARTPOD, payload);
    return session;
  } catch (error) {
    // The agent would keep the test from ending; what went wrong with it came first.
    await session[Symbol.asyncDispose]().catch(() => {});
    throw error;
  }
}

/** One more process of a container. */
export const exec = (
  session: Session,
  container: string,
  script: string,
  more: Partial<ProcessRequest> = {},
) => session.exec(sh(script), { container, ...more });
