/** Asking the kernel by netlink. It answers while it is asked, so nothing here waits. */

import * as sys from "tiny:sys";
import {
  AF_NETLINK,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from "@husk/tiny";
import {
  decodeAck,
  decodeMessages,
  encodeRequest,
  join,
  type Message,
  NLM,
  NLMSG_DONE,
  NLMSG_ERROR,
  type Request,
} from "@husk/wire/netlink";

/** Most bytes of one datagram from the kernel. */
const DATAGRAM_BYTES = 64 * 1024;
/** Most bytes of requests sent at once. */
const SEND_BYTES = 8 * 1024 * 1024;

/** What the kernel refused. */
export class NetlinkError extends Error {
  readonly errno: number;

  constructor(errno: number, said: string | undefined) {
    super(said ? `${sys.strerror(errno)} (${said})` : sys.strerror(errno));
    this.errno = errno;
  }
}

/** A socket to one of the kernel's netlink protocols. */
export class NetlinkSocket {
  readonly #fd: number;
  #seq = 0;

  constructor(fd: number) {
    this.#fd = fd;
    // The kernel's own address, port 0: from nobody else does a connected socket take anything.
    const kernel = new Uint8Array(12);
    new DataView(kernel.buffer).setUint16(0, AF_NETLINK, true);
    sys.connect(fd, kernel);
    sys.setsockopt(fd, SOL_NETLINK, NETLINK_EXT_ACK, 1);
    sys.setsockopt(fd, SOL_NETLINK, NETLINK_CAP_ACK, 1);
  }

  /** Sends a request and gives what answers it. @throws NetlinkError */
  ask(request: Request): Message[] {
    const isDump = (request.flags & NLM.DUMP) === NLM.DUMP;
    return this.#exchange([{ ...request, flags: request.flags | NLM.REQUEST | (isDump ? 0 : NLM.ACK) }]);
  }

  /** Sends a transaction, which is done as a whole or not at all. @throws NetlinkError */
  commit(requests: readonly Request[]): void {
    sys.setsockopt(this.#fd, SOL_SOCKET, SO_SNDBUFFORCE, SEND_BYTES);
    // The last request before the end mark is answered when all are done; an error is told in any case.
    const answered = requests.length - 2;
    this.#exchange(
      requests.map((request, at) => ({
        ...request,
        flags: request.flags | NLM.REQUEST | (at === answered ? NLM.ACK : 0),
      })),
    );
  }

  #exchange(requests: readonly Request[]): Message[] {
    const first = this.#seq + 1;
    const bytes = join(requests.map((request) => encodeRequest(request, ++this.#seq)));
    if (sys.write(this.#fd, bytes, 0, bytes.length) !== bytes.length) {
      throw new Error("the kernel did not take the request");
    }
    const buffer = new Uint8Array(DATAGRAM_BYTES);
    const answers: Message[] = [];
    let ended = false;
    for (let count = this.#read(buffer); count > 0; count = this.#read(buffer)) {
      for (const message of decodeMessages(buffer.subarray(0, count))) {
        // What answers an earlier request, of which nobody waits any more.
        if (message.seq < first) continue;
        if (message.type === NLMSG_ERROR) {
          const { errno, text } = decodeAck(message);
          if (errno !== 0) throw new NetlinkError(errno, text);
          ended = true;
        } else if (message.type === NLMSG_DONE) ended = true;
        else answers.push(message);
      }
    }
    if (!ended) throw new Error("the kernel did not answer");
    return answers;
  }

  #read(buffer: Uint8Array): number {
    return sys.read(this.#fd, buffer, 0, buffer.length);
  }
}

/** Calls `use` with a socket that is closed afterwards. */
export function withNetlink<T>(protocol: number, use: (socket: NetlinkSocket) => T): T {
  const fd = sys.socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
  try {
    return use(new NetlinkSocket(fd));
  } finally {
    sys.close(fd);
  }
}
