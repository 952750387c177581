/** What `-version` says, as the guest's agent does. */
export const VERSION = "0.1.0+husk";
