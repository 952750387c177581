/** What other packages of husk use of this one beside its API: none of it is promised to anybody else. */
export { CAPABILITIES, MASKED_PATHS, READONLY_PATHS } from "./agent/kata/default-spec.ts";
export { connectSocket } from "./agent/socket.ts";
export { suggestName } from "./config/nearest-name.ts";
export { checkOciProcess, checkOciSpec } from "./config/oci-schema.ts";
export { flag, integer, list, object, type Rule, text } from "./config/rules.ts";
export { abortError, anySignal, throwIfAborted, withDeadline } from "./deadline.ts";
export { messageOf, systemCode } from "./errors/husk-error.ts";
export { runGroupProcess } from "./group-process.ts";
export { runCommand } from "./host-command.ts";
export { deadlineFactor } from "./hypervisor/deadlines.ts";
export { isProgram } from "./is-program.ts";
export { readResolvConf } from "./network/dns.ts";
export { isNamespace } from "./network/namespace.ts";
export { DirectoryWatch } from "./output/directory-watch.ts";
export { writeFileAtomically } from "./store/atomic-file.ts";
export { FileLock, lockDescriptor, lockFile, openLockFile, takeRemovableLock } from "./store/flock.ts";
export { containerExitFile } from "./store/pod-directory.ts";
export {
  argumentsOf,
  identifyProcess,
  isProcessAlive,
  type ProcessIdentity,
} from "./store/process-identity.ts";
export { cleanText } from "./untrusted-text.ts";
