import { resolve } from "node:path";
import { type ContainerConfig, HuskError, type OciSpec, type PodConfig } from "@husk/virtcontainers";
import { makeResidents } from "../options/detach-options.ts";
import { makePodConfig, type PodOptions } from "../options/pod-options.ts";
import type { Bundle } from "./bundle.ts";
import { takeNameServers } from "./name-servers.ts";
import { networkNamespace, refuseHostMatters } from "./refuse-host-matters.ts";

/** Annotation of a pod: the folder of its bundle. */
export const BUNDLE_ANNOTATION = "husk.bundle";

/**
 * A pod with one container of the same id, as its bundle says. What cannot be carried out is refused by name.
 * @throws HuskError ERR_NOT_SUPPORTED, ERR_CONFIG_INVALID; GuestImageMissingError
 */
export function podOfBundle(
  id: string,
  { path, spec }: Bundle,
  factory: Pick<PodOptions, "factory">,
  env: NodeJS.ProcessEnv,
): PodConfig {
  refuseHostMatters(spec);
  if (!spec.root?.path) throw new HuskError("ERR_CONFIG_INVALID", "config.json.root.path: is missing");
  const rootFs = resolve(path, spec.root.path);
  const cmd = { args: spec.process.args };
  const options: PodOptions = {
    agent: "kata",
    rootfs: rootFs,
    ...factory,
    ...(spec.hostname ? { hostname: spec.hostname } : {}),
  };
  const base = makePodConfig(id, cmd, options, env);
  const { proxyType, proxyConfig, shimType, shimConfig } = makeResidents(id, { agent: "kata" });
  const { dns, ...network } = networkOf(spec);
  const container: ContainerConfig = {
    id,
    rootFs,
    cmd,
    annotations: { ...spec.annotations },
    ociSpec: { ...spec, mounts: network.mounts },
    ...(dns ? { podFiles: ["resolv.conf"] } : {}),
  };
  return {
    ...base,
    ...(proxyType && proxyConfig ? { proxyType, proxyConfig } : {}),
    ...(shimType && shimConfig?.path ? { shimType, shimConfig: { path: shimConfig.path } } : {}),
    ...network.pod,
    containers: [container],
    annotations: { ...spec.annotations, [BUNDLE_ANNOTATION]: path },
  };
}

/** What the pod has of networks, and the mounts that the container then still needs. */
function networkOf(spec: OciSpec) {
  const netNSPath = networkNamespace(spec);
  // Without a network there is nobody to ask for names.
  if (netNSPath === undefined) return { pod: { networkModel: "noop" as const }, mounts: spec.mounts ?? [] };
  const { mounts, dns } = takeNameServers(spec.mounts ?? []);
  const networkConfig = { netNSPath, ...(dns ? { dns } : {}) };
  return { pod: { networkModel: "CNM" as const, networkConfig }, mounts, dns };
}
