import { isHuskError, type PodConfig, type RunOptions, runPod } from "@husk/virtcontainers";
import { makePodName } from "./pod-name.ts";

/** how many made-up names are tried before husk gives up */
const NAME_ATTEMPTS = 5;

/** Runs a pod; a made-up name that is taken by chance is replaced by another. @returns its id */
export async function runNamedPod(
  name: string | undefined,
  makeConfig: (id: string) => PodConfig,
  options: RunOptions,
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      const pod = await runPod(makeConfig(name ?? makePodName()), options);
      return pod.id();
    } catch (error) {
      const again = name === undefined && isHuskError(error, "ERR_POD_EXISTS") && attempt < NAME_ATTEMPTS;
      if (!again) throw error;
    }
  }
}
