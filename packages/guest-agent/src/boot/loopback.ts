import * as sys from "tiny:sys";
import { AF_INET, IFF_UP, SIOCGIFFLAGS, SIOCSIFFLAGS, SOCK_CLOEXEC, SOCK_DGRAM } from "@husk/tiny";

/** Bytes of `struct ifreq`: a name of 16 bytes, then a union of 24. */
const IFREQ_BYTES = 40;
const IFREQ_FLAGS_OFFSET = 16;

/** Switches the loopback interface on, which also gives it 127.0.0.1 and ::1. */
export function raiseLoopback(): void {
  const socket = sys.socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  try {
    const request = new Uint8Array(IFREQ_BYTES);
    request.set(sys.encodeUtf8("lo"));
    sys.ioctl(socket, SIOCGIFFLAGS, request);
    const view = new DataView(request.buffer);
    view.setUint16(IFREQ_FLAGS_OFFSET, view.getUint16(IFREQ_FLAGS_OFFSET, true) | IFF_UP, true);
    sys.ioctl(socket, SIOCSIFFLAGS, request);
  } finally {
    sys.close(socket);
  }
}
