/** For `describe()`: a loud reason to leave tests out when not run as root, which alone can share directories. */
export const needsRoot: { skip: string | false } = {
  skip:
    process.geteuid?.() === 0 ? false : "SKIPPED: needs root (mounts, loop devices); run the tests as root",
};
