/** Where the agent keeps what belongs to the pod and its containers, on the guest's own tmpfs. */

const POD = "/run/husk";

export const podPaths = {
  folder: POD,
  /** what is bound over /etc/hostname */
  hostname: `${POD}/hostname`,
  /** what is bound over /etc/resolv.conf; only there when the pod has name servers */
  resolvConf: `${POD}/resolv.conf`,
  /** what is bound over /etc/hosts */
  hosts: `${POD}/hosts`,
  /** what is bound over the machine's uuid; only there when that was another's */
  machineId: `${POD}/product_uuid`,
  /** the pod's /dev/shm */
  shm: `${POD}/shm`,
  /** where the host's folders are mounted, each by its tag */
  shares: `${POD}/shares`,
};

/** The folder of a container. Its id is checked by the protocol, so it is safe as a name. */
export function containerPaths(id: string) {
  const folder = `${POD}/containers/${id}`;
  return {
    folder,
    /** the container's devpts instance */
    pts: `${folder}/pts`,
    /** where its image is mounted, in the container's mount namespace only */
    image: `${folder}/image`,
    /** tmpfs with the upper and work folders of its overlay */
    scratch: `${folder}/scratch`,
    /** its root before it is pivoted to */
    root: `${folder}/root`,
    /** where each of its volumes is mounted for a moment, in the container's mount namespace only */
    volume: `${folder}/volume`,
  };
}
