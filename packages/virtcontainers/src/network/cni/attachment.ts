/** A network that a pod has joined, or was about to join, by CNI plugins. */
export interface CniAttachment {
  /** name of the network */
  readonly network: string;
  /** name of the interface in the namespace */
  readonly ifName: string;
  /** the network's configuration as it was then: DEL and CHECK get what ADD got */
  readonly configuration: Readonly<Record<string, unknown>>;
  /** the last plugin's result, as it came; missing: ADD has not ended well */
  result?: Readonly<Record<string, unknown>>;
}
