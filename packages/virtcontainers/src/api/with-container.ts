import { checkId } from "../config/ids.ts";
import type { CallOptions } from "../types/index.ts";
import { Call } from "./call.ts";
import { changePod } from "./change-pod.ts";
import type { OpenPod } from "./open-pod.ts";

/** Changes a pod by a container of it. @throws HuskError as `changePod`, ERR_ID_INVALID */
export async function withContainer<T>(
  podId: string,
  containerId: string,
  options: CallOptions,
  action: (pod: OpenPod) => Promise<T>,
  moreOptions: readonly string[] = [],
): Promise<T> {
  const call = new Call(options, moreOptions);
  checkId("pod", podId);
  checkId("container", containerId);
  return changePod(podId, call, action);
}
