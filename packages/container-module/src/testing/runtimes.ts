import { fileURLToPath } from "node:url";

/** OCI runtimes that tests are run with: what each is called, and its program. */
export const RUNTIMES: Readonly<Record<"runc" | "crun", string>> = {
  runc: "runc",
  crun: fileURLToPath(new URL("crun-here.sh", import.meta.url)),
};
