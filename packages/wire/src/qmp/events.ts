/** The events husk acts on, and their data by QAPI. */
export interface QmpEvents {
  /** QEMU is about to end; `reason` as in QAPI's `ShutdownCause`, `"guest-shutdown"`. */
  SHUTDOWN: { guest: boolean; reason: string };
  /** The virtual CPUs were stopped. */
  STOP: Record<string, never>;
  /** The virtual CPUs go on. */
  RESUME: Record<string, never>;
  /** The machine was reset. */
  RESET: { guest: boolean; reason: string };
  /** The power button was pressed. */
  POWERDOWN: Record<string, never>;
  /** The guest's kernel panicked; `action` is what QEMU does now, `"pause"` or `"poweroff"`. */
  GUEST_PANICKED: { action: string };
  /** State is saved or loaded, with capability `events`: `"active"`, `"completed"`, `"failed"`, … */
  MIGRATION: { status: string };
  /** A device was given back; without `device` it had no id. */
  DEVICE_DELETED: { device?: string; path: string };
  /** The guest tells by ACPI how it fares with a processor or memory that was plugged in; `status` 0: it has taken it. */
  ACPI_DEVICE_OST: { info: { device?: string; status: number } };
}

/** Name of an event husk knows. */
export type QmpEventName = keyof QmpEvents;

/** JSON types of the known events' data; a trailing `?` marks what may be absent. */
const eventData: {
  [N in QmpEventName]: { [K in keyof QmpEvents[N]]-?: "boolean" | "string" | "string?" | "object" };
} = {
  SHUTDOWN: { guest: "boolean", reason: "string" },
  STOP: {},
  RESUME: {},
  RESET: { guest: "boolean", reason: "string" },
  POWERDOWN: {},
  GUEST_PANICKED: { action: "string" },
  MIGRATION: { status: "string" },
  DEVICE_DELETED: { device: "string?", path: "string" },
  ACPI_DEVICE_OST: { info: "object" },
};

/** The key of a known event's data that is not of its type, or undefined when all is well. */
export function findWrongEventKey(
  event: string,
  data: { readonly [key: string]: unknown },
): string | undefined {
  if (!Object.hasOwn(eventData, event)) return undefined;
  const types: { readonly [key: string]: string } = eventData[event as QmpEventName];
  return Object.keys(types).find((key) => {
    const type = types[key] ?? "";
    const value = Object.hasOwn(data, key) ? data[key] : undefined;
    return !(value === undefined && type.endsWith("?")) && typeof value !== type.replace("?", "");
  });
}
