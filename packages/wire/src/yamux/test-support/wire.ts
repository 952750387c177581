import type { YamuxEvent } from "../events.ts";
import type { YamuxOptions } from "../session.ts";
import { YamuxSession } from "../session.ts";
import type { YamuxStream } from "../stream.ts";

/** A session whose frames are collected. */
export function makeSide(role: "client" | "server", options: Partial<YamuxOptions> = {}) {
  const sent: Uint8Array[] = [];
  const state = { full: false };
  const session = new YamuxSession({
    role,
    sink: (frame) => {
      sent.push(frame);
      return !state.full;
    },
    ...options,
  });
  return {
    session,
    /** whether the sink wants no more after the frame it gets */
    state,
    /** the bytes sent since the last call, as hex digits, a blank between frames */
    takeHex: () =>
      takeAll(sent)
        .map((frame) => Buffer.from(frame).toString("hex"))
        .join(" "),
    /** the frames sent since the last call */
    take: () => takeAll(sent),
  };
}

export type Side = ReturnType<typeof makeSide>;

function takeAll(frames: Uint8Array[]): Uint8Array[] {
  return frames.splice(0, frames.length);
}

/** Kinds of events, with the stream's number and the data's size, to compare. */
export function describe(events: readonly YamuxEvent[]): string[] {
  return events.map((event) => {
    if (event.kind === "data") return `data ${event.stream.id} ${event.data.length}`;
    if (event.kind === "failed") return `failed ${event.error.code}`;
    if (event.kind === "pong") return `pong ${event.id}`;
    return "stream" in event ? `${event.kind} ${event.stream.id}` : event.kind;
  });
}

/** The stream of the first event. */
export function streamOf(events: readonly YamuxEvent[]): YamuxStream {
  const [event] = events;
  if (event === undefined || !("stream" in event)) throw new Error("no event with a stream");
  return event.stream;
}
