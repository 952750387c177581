/** For `test()`: a loud reason to leave a test out when not run as root, which alone can share directories. */
export const needsRoot: { skip: string | false } = {
  skip: process.geteuid?.() === 0 ? false : "SKIPPED: needs root (mounts); run the tests as root",
};
