/** Who a process runs as: names and numbers looked up in the container's own /etc/passwd and /etc/group. */

/** The credentials of a process. */
export interface Credentials {
  uid: number;
  gid: number;
  /** supplementary groups */
  groups: number[];
  /** login name, when the container knows one */
  name?: string;
  /** home directory, when the container knows one */
  home?: string;
}

/** What a request says about them, each a name or a number in digits. */
export interface Wanted {
  user?: string;
  group?: string;
  additionalGroups: string[];
}

interface PasswdEntry {
  name: string;
  uid: number;
  gid: number;
  home: string;
}

interface GroupEntry {
  name: string;
  gid: number;
  members: string[];
}

function fields(text: string, atLeast: number): string[][] {
  return text
    .split("\n")
    .map((line) => line.split(":"))
    .filter((parts) => parts.length >= atLeast && parts[0] !== "");
}

/** A user or group number, or undefined when the text is not one that the kernel takes. */
function toId(text: string | undefined): number | undefined {
  if (text === undefined || !/^[0-9]{1,10}$/.test(text)) return undefined;
  const id = Number(text);
  // The last number means "leave as it is" to setresuid.
  return id < 0xffffffff ? id : undefined;
}

/** The users of an /etc/passwd that have numbers. */
export function parsePasswd(text: string): PasswdEntry[] {
  return fields(text, 4).flatMap(([name, , uid, gid, , home]) => {
    const [user, group] = [toId(uid), toId(gid)];
    if (user === undefined || group === undefined) return [];
    return [{ name: name as string, uid: user, gid: group, home: home || "/" }];
  });
}

function parseGroup(text: string): GroupEntry[] {
  return fields(text, 3).flatMap(([name, , gid, members]) => {
    const id = toId(gid);
    return id === undefined
      ? []
      : [
          {
            name: name as string,
            gid: id,
            members: (members ?? "").split(",").filter((member) => member !== ""),
          },
        ];
  });
}

/** The number of a group; undefined when the container does not know its name. */
export function findGroup(name: string, group: string): number | undefined {
  return parseGroup(group).find((entry) => entry.name === name)?.gid;
}

function lookUpGroup(word: string, groups: GroupEntry[]): number {
  const id = groups.find((group) => group.name === word)?.gid ?? toId(word);
  if (id === undefined) throw new Error(`unknown group "${word}" in the container's /etc/group`);
  return id;
}

/**
 * Decides the credentials. A name must be in the container's files; a number need not be (its group is then 0). Seed
 * 001, step 11; hyperstart.md 4.6.
 *
 * @param passwd text of /etc/passwd
 * @param group text of /etc/group
 * @throws Error naming the user or group that is not there
 */
export function lookUpCredentials(wanted: Wanted, passwd: string, group: string): Credentials {
  const word = wanted.user || "0";
  const users = parsePasswd(passwd);
  const groups = parseGroup(group);
  const number = toId(word);
  const entry = users.find((user) => user.name === word) ?? users.find((user) => user.uid === number);
  if (!entry && number === undefined)
    throw new Error(`unknown user "${word}" in the container's /etc/passwd`);
  const uid = entry ? entry.uid : (number as number);
  const gid = wanted.group ? lookUpGroup(wanted.group, groups) : (entry?.gid ?? 0);
  const member = entry
    ? groups.filter(({ members }) => members.includes(entry.name)).map(({ gid }) => gid)
    : [];
  const additional = wanted.additionalGroups.map((name) => lookUpGroup(name, groups));
  return {
    uid,
    gid,
    groups: [...new Set([gid, ...member, ...additional])],
    ...(entry && { name: entry.name, home: entry.home }),
  };
}
