/** The other side has said what the service's protocol does not allow: the connection ends. */
export class ServiceProtocolError extends Error {
  override readonly name = "ServiceProtocolError";
}
