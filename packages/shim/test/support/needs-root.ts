/** For `test()`: a loud reason to leave a test out when not run as root, which may mount and change users. */
export const needsRoot: { skip: string | false } = {
  skip: process.getuid?.() === 0 ? false : "SKIPPED: needs root (namespaces, mounts); run the tests as root",
};
