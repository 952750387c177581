// Asks a cache's server for a VM as husk does, says "got", and does nothing with it:
//   node cache-client-worker.ts SOCKET KEY VCPUS,MIB
import { connect } from "node:http2";
import { connect as connectSocket } from "node:net";

const [socket = "", key = "", size = ""] = process.argv.slice(2);
const session = connect("http://cache", { createConnection: () => connectSocket(socket) });
const stream = session.request({
  ":method": "POST",
  ":path": "/cache.CacheService/GetBaseVM",
  "content-type": "application/grpc",
  te: "trailers",
  "husk-key": key,
  "husk-least": size,
  "husk-most": size,
});
stream.once("data", () => process.stdout.write("got\n"));
// An empty message: not compressed, no bytes.
stream.end(Buffer.alloc(5));
