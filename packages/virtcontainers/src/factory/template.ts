import type { VmTemplate } from "../hypervisor/types.ts";
import type { VmSize } from "../store/pod-record.ts";
import type { FactoryConfig, PodConfig } from "../types/index.ts";
import { type BuildOptions, TemplateBuilder } from "./build-template.ts";
import { defaultTemplatePath, filesOf, TemplateStore } from "./template-store.ts";

/** The store that a configuration names. */
export function templateStore({ templatePath }: FactoryConfig, root: string): TemplateStore {
  return new TemplateStore(templatePath ?? defaultTemplatePath(root));
}

/**
 * The template for a pod's VM; it is made when there is none, which takes as long as a boot.
 * @returns its key, and what a VM begins with
 * @throws HuskError as the boot of a VM; ERR_QMP, ERR_STORE, ERR_NOT_SUPPORTED
 */
export async function templateFor(
  config: PodConfig,
  size: VmSize,
  store: TemplateStore,
  options: BuildOptions,
): Promise<{ key: string; template: VmTemplate }> {
  store.open();
  const builder = new TemplateBuilder(config, size, store, options);
  const key = await builder.key();
  if (!store.find(key)) await builder.build(key);
  return { key, template: { ...filesOf(store.folder(key)), role: "clone" } };
}
