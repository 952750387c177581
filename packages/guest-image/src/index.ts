export { findBuildRoot, GuestImageMissingError, type GuestPaths, guestPaths } from "./guest-paths.ts";
