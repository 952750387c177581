/** A shell's line that tells what one guest has, and no other, a line each. */
export const IDENTITY = [
  "hostname",
  "cat /proc/sys/kernel/random/boot_id",
  "cat /sys/class/dmi/id/product_uuid",
  "head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \\n'; echo",
  "cat /sys/class/net/eth0/address",
].join("; ");
