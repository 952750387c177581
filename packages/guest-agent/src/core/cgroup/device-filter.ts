/** Which devices the processes of a cgroup may use: a program that the kernel asks. */

import * as sys from "tiny:sys";
import {
  BPF_CGROUP_DEVICE,
  BPF_F_ALLOW_MULTI,
  BPF_F_REPLACE,
  BPF_PROG_TYPE_CGROUP_DEVICE,
  errorText,
  O_RDONLY,
  withFile,
} from "@husk/tiny";

/** See the head of the file. */
export class DeviceFilter {
  readonly #folder: string;
  /** program that is in force, -1 for none */
  #program = -1;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Puts a program in force, in place of the former. */
  load(instructions: Uint8Array): void {
    try {
      const program = sys.bpfLoad(BPF_PROG_TYPE_CGROUP_DEVICE, instructions);
      try {
        this.#attach(program);
      } catch (error) {
        sys.close(program);
        throw error;
      }
      this.close();
      this.#program = program;
    } catch (error) {
      throw new Error(`cannot limit the devices: ${errorText(error)}`);
    }
  }

  /** One that is in force is replaced in one step; a container in this one may add its own. */
  #attach(program: number): void {
    const flags = BPF_F_ALLOW_MULTI | (this.#program === -1 ? 0 : BPF_F_REPLACE);
    withFile(this.#folder, O_RDONLY, 0, (cgroup) =>
      sys.bpfAttach(cgroup, program, BPF_CGROUP_DEVICE, flags, this.#program),
    );
  }

  /** Lets the program go; it stays in force as long as the cgroup is there. */
  close(): void {
    if (this.#program !== -1) sys.close(this.#program);
    this.#program = -1;
  }
}
