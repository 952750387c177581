/** How VMs are made ready before they are asked for. Go: `FactoryConfig`; Kata's `[factory]`. */
export interface FactoryConfig {
  /** begin VMs as copies of one that has booted; default false */
  template?: boolean;
  /** directory of templates, on a tmpfs; default: one in `/dev/shm` for this user and this state directory */
  templatePath?: string;
}

/** A template: a VM that has booted, in files. */
export interface TemplateStatus {
  /** digest of all that it depends on: kernel, agent, QEMU, accelerator, configuration */
  readonly key: string;
  readonly createdAt: Date;
  /** virtual CPUs of VMs that begin with it */
  readonly vcpus: number;
  /** their memory in MiB */
  readonly memory: number;
  /** kind of agent */
  readonly agent: string;
}
