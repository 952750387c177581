import type { ContainerConfig, LinuxResources } from "../types/index.ts";

/** What a container may use: what its OCI specification says, when it has one, else its configuration. */
export function resourcesOf({ ociSpec, resources = {} }: ContainerConfig): LinuxResources {
  return ociSpec ? (ociSpec.linux?.resources ?? {}) : resources;
}

/** Changes what a container may use, where it is said. @returns puts back what was said before */
export function setResources(config: ContainerConfig, resources: LinuxResources): () => void {
  const { ociSpec, resources: before } = config;
  if (ociSpec) {
    config.ociSpec = { ...ociSpec, linux: { ...ociSpec.linux, resources } };
    return () => {
      config.ociSpec = ociSpec;
    };
  }
  config.resources = resources;
  return () => {
    if (before) config.resources = before;
    else delete config.resources;
  };
}
