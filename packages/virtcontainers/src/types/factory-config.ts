/** How VMs are made ready before they are asked for. Go: `FactoryConfig`, Kata's `[factory]`. */
export interface FactoryConfig {
  /** begin VMs as copies of one that has booted; default false */
  template?: boolean;
  /** directory of templates, on a tmpfs; default: one of this user's and this state directory's in `/dev/shm` */
  templatePath?: string;
}
