import { withAbsolutePaths } from "../config/absolute-paths.ts";
import { checkFactoryConfig } from "../config/factory-schema.ts";
import { checkPodConfig } from "../config/schema.ts";
import { HuskError } from "../errors/index.ts";
import { clearUnfinished } from "../factory/build-template.ts";
import { templateFor, templateStore } from "../factory/template.ts";
import type { CallOptions, FactoryConfig, PodConfig, TemplateStatus } from "../types/index.ts";
import { Call } from "./call.ts";
import { baseSizeOf } from "./vm-size.ts";

/**
 * Makes the template of the VMs of such pods, unless there is one. Of the configuration, what makes the VM counts: its
 * hypervisor, agent and size. Ours alone; Kata: `kata-runtime factory init`.
 * @throws HuskError as `createPod`; ERR_QMP, ERR_STORE (no tmpfs, no room)
 */
export async function createTemplate(
  config: PodConfig,
  factory: FactoryConfig = {},
  options: CallOptions = {},
): Promise<TemplateStatus> {
  checkPodConfig(config);
  checkFactoryConfig(factory);
  const call = new Call(options);
  const store = templateStore(factory, call.root);
  const absolute = withAbsolutePaths(config);
  const { key } = await templateFor(absolute, baseSizeOf(absolute), store, call);
  const made = store.find(key);
  if (made) return toStatus(made);
  throw new HuskError("ERR_STORE", `the template ${key} was removed while it was made`);
}

/** Lists the templates, the newest first. Ours alone; Kata: `kata-runtime factory status`. @throws HuskError ERR_STORE */
export async function listTemplates(
  factory: FactoryConfig = {},
  options: CallOptions = {},
): Promise<TemplateStatus[]> {
  checkFactoryConfig(factory);
  return templateStore(factory, new Call(options).root).list().map(toStatus);
}

/**
 * Removes all templates, and what was left by who died while making one. VMs that began with one go on. One that is just being made
 * is left to who makes it, and is there afterwards. Ours alone; Kata: `kata-runtime factory destroy`.
 * @returns how many were removed
 * @throws HuskError ERR_STORE, ERR_LOCK
 */
export async function destroyTemplates(
  factory: FactoryConfig = {},
  options: CallOptions = {},
): Promise<number> {
  checkFactoryConfig(factory);
  const store = templateStore(factory, new Call(options).root);
  clearUnfinished(store);
  return store.clear();
}

function toStatus({
  createdAt,
  ...info
}: Omit<TemplateStatus, "createdAt"> & { createdAt: string }): TemplateStatus {
  return { ...info, createdAt: new Date(createdAt) };
}
