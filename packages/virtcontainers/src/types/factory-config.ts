/** How VMs are made ready before they are asked for. Go: `FactoryConfig`; Kata's `[factory]`. */
export interface FactoryConfig {
  /** begin VMs as copies of one that has booted; default false */
  template?: boolean;
  /** directory of templates, on a tmpfs; default: one in `/dev/shm` for this user and this state directory */
  templatePath?: string;
  /**
   * VMs that a cache keeps waiting, as ready as can be; who creates a pod asks for one of them; 0 (the default): there is no cache. Kata's
   * `vm_cache_number`
   */
  vmCacheNumber?: number;
  /** the same in parts, by how ready they are; instead of `vmCacheNumber`. Ours alone */
  vmCacheTiers?: Partial<Record<VmCacheTier, number>>;
  /** socket of the cache; default `cache.sock` in the state directory. Kata's `vm_cache_endpoint` */
  vmCacheEndpoint?: string;
}

/**
 * How ready a waiting VM is. `prepared`: its process waits, and the state of a template is still to be loaded, which takes the
 * least memory; `paused`: its agent has answered; `rehearsed`: it has run a container, too.
 */
export type VmCacheTier = "prepared" | "paused" | "rehearsed";

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
