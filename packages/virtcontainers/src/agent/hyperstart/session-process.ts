import type { StreamFrame } from "@husk/wire/hyperstart";
import type { GuestProcess } from "../guest-process.ts";
import type { StreamSeqs } from "./requests.ts";
import type { StreamSink } from "./stream-router.ts";

/** A process that this session has started: joins its streams and its end. */
export class SessionProcess implements StreamSink {
  readonly containerId: string;
  readonly processId: string;
  readonly seqs: StreamSeqs;
  readonly process: GuestProcess;

  constructor(containerId: string, processId: string, seqs: StreamSeqs, process: GuestProcess) {
    this.containerId = containerId;
    this.processId = processId;
    this.seqs = seqs;
    this.process = process;
  }

  /** its stream numbers */
  get numbers(): number[] {
    return this.seqs.stderr === 0 ? [this.seqs.stdio] : [this.seqs.stdio, this.seqs.stderr];
  }

  receive({ seq, data }: StreamFrame): boolean {
    if (seq === this.seqs.stderr) return data.length === 0 || this.process.pushOutput("stderr", data);
    if (data.length > 0) return this.process.pushOutput("stdout", data);
    this.process.endOutput();
    return true;
  }
}
