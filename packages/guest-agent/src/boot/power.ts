import * as sys from "tiny:sys";
import { MNT_DETACH, RB_POWER_OFF } from "@husk/tiny";

/** Writes everything out and switches the machine off. Does not return. */
export function powerOff(): never {
  sys.sync();
  sys.umount("/run", MNT_DETACH);
  sys.reboot(RB_POWER_OFF);
  // A machine without a power switch goes on; its host pulls the plug.
  for (;;) sys.sigwait([]);
}
