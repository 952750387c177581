/** The kernel's random numbers. Reference: virtcontainers.md 8.2. */

import * as sys from "tiny:sys";
import { Errno, hasErrno, O_RDWR, withFile, writeAll } from "@husk/tiny";

const DEVICE = "/dev/random";

/** `_IOW('R', 0x01, int)`: credits what was written with bits of entropy. */
const RNDADDTOENTCNT = 0x40045201;
/** `_IO('R', 0x07)`: makes the generator take up what it was fed. */
const RNDRESEEDCRNG = 0x5207;

/** Feeds the kernel's generator, and believes that the bytes are random. */
export function reseed(data: Uint8Array): void {
  withFile(DEVICE, O_RDWR, 0, (fd) => {
    writeAll(fd, data);
    const bits = new Uint8Array(4);
    new DataView(bits.buffer).setInt32(0, 8 * data.length, true);
    sys.ioctl(fd, RNDADDTOENTCNT, bits);
    try {
      sys.ioctl(fd, RNDRESEEDCRNG, 0);
    } catch (error) {
      // A kernel that is too old for it, or has not had enough to begin with.
      if (!hasErrno(error, Errno.EINVAL, Errno.ENODATA)) throw error;
    }
  });
}
