/** Most interfaces of a pod, and so most networks that it joins. */
export const MAX_INTERFACES = 16;
