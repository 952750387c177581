/** Version of this agent: that of its package, with a word by which hosts tell it from others of the same API. */
export const AGENT_VERSION = "0.1.0+husk";
