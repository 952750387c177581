import assert from "node:assert/strict";
import { test } from "node:test";
import { type QemuPlan, qemuArguments } from "./command-line.ts";

const plan: QemuPlan = {
  podId: "web",
  uuid: "00000000-0000-4000-8000-000000000000",
  vcpus: 2,
  memory: 128,
  config: { kernelParams: [{ key: "a", value: "b" }, { key: "c" }] },
  ports: [
    { name: "sh.hyper.channel.0", socket: "control" },
    { name: "sh.hyper.channel.1", socket: "stream" },
  ],
  drives: [{ id: "rootfs0", imagePath: "/with,comma/image", fstype: "erofs", source: "file" }],
  shares: [],
  nics: [],
  vhostNet: false,
  vfioDevices: [],
  isNested: false,
  blockDriver: "virtio-blk",
  cache: "/c",
  machine: "q35",
  accelerator: "tcg",
  tscKHz: 2_000_000,
  kernelPath: "/boot/vmlinux",
  initrdPath: "/boot/initramfs",
  sharedMemory: false,
  slots: 1,
  maxMemory: 128,
};

test("the arguments of a pod on q35", () => {
  assert.deepEqual(qemuArguments(plan), [
    ...["-name", "husk-web", "-uuid", "00000000-0000-4000-8000-000000000000"],
    ...["-machine", "q35,accel=tcg,i8042=off,vmport=off,smbus=off,sata=off,hpet=off"],
    ...["-cpu", "max,-la57,-erms,-fsrm", "-smp", "2", "-m", "128M"],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-bios", "qboot.rom", "-kernel", "/boot/vmlinux", "-initrd", "/boot/initramfs"],
    "-append",
    "cryptomgr.notests noreplace-smp tsc=reliable no_timer_check rcupdate.rcu_expedited=1 " +
      "console=ttyS0 panic=-1 nolapic_timer tsc_early_khz=2000000 quiet a=b c",
    ...[
      "-add-fd",
      "fd=6,set=1",
      "-chardev",
      "file,id=console0,path=/dev/fdset/1",
      "-serial",
      "chardev:console0",
    ],
    ...["-chardev", "socket,id=qmp0,fd=3,server=on,wait=off", "-mon", "chardev=qmp0,mode=control"],
    ...[
      "-device",
      '{"driver":"pcie-root-port","id":"slot0","bus":"pcie.0","addr":"0x0f","chassis":1,"slot":1}',
    ],
    ...[
      "-device",
      '{"driver":"virtio-serial-pci","id":"serial0","max_ports":3,"disable-legacy":"on","vectors":0,"ioeventfd":false}',
    ],
    ...["-chardev", "socket,id=port0,fd=4,server=on,wait=off", "-device"],
    '{"driver":"virtserialport","bus":"serial0.0","nr":1,"chardev":"port0","name":"sh.hyper.channel.0","id":"channel0"}',
    ...["-chardev", "socket,id=port1,fd=5,server=on,wait=off", "-device"],
    '{"driver":"virtserialport","bus":"serial0.0","nr":2,"chardev":"port1","name":"sh.hyper.channel.1","id":"channel1"}',
    "-blockdev",
    '{"driver":"raw","node-name":"node-rootfs0","read-only":true,"file":{"driver":"file","filename":"/with,comma/image"}}',
    "-device",
    '{"driver":"virtio-blk-pci","id":"disk-rootfs0","drive":"node-rootfs0","serial":"rootfs0","disable-legacy":"on","vectors":0,"ioeventfd":false}',
    ...["-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny"],
  ]);
});

test("room for processors and memory that come later is made only when it is asked for", () => {
  const config = { defaultMaxVCPUs: 4, memSlots: 2 };
  const args = qemuArguments({ ...plan, config, maxMemory: 4096 });
  assert.deepEqual(valuesOf(args, "-smp"), ["2,maxcpus=4"]);
  assert.deepEqual(valuesOf(args, "-m"), ["128M,slots=2,maxmem=4096M"]);
  const none = qemuArguments({ ...plan, config: { defaultMaxVCPUs: 2, memSlots: 0 } });
  assert.deepEqual([valuesOf(none, "-smp"), valuesOf(none, "-m")], [["2"], ["128M"]]);
});

test("a microvm has no PCI devices and keeps its clock", () => {
  const args = qemuArguments({ ...plan, machine: "microvm", slots: 0 });
  assert.ok(args.some((arg) => arg.startsWith("microvm,accel=tcg") && arg.includes("rtc=on")));
  assert.ok(args.some((arg) => arg.includes('"virtio-blk-device"')));
  assert.ok(!args.some((arg) => /virtio-[a-z]+-pci|pcie-root-port/.test(arg)));
});

test("KVM uses the host's CPU; the user's own arguments come last", () => {
  const hypervisorParams = [{ key: "boot", value: "strict=on" }, { key: "S" }];
  const config = {
    machineAccelerators: ",kernel_irqchip=split",
    firmwarePath: "/fw",
    debug: true,
    hypervisorParams,
  };
  const args = qemuArguments({ ...plan, accelerator: "kvm", config });
  assert.equal(args[args.indexOf("-cpu") + 1], "host");
  assert.equal(
    args[args.indexOf("-machine") + 1],
    "q35,accel=kvm,i8042=off,vmport=off,smbus=off,sata=off,hpet=off,kernel_irqchip=split",
  );
  assert.equal(args[args.indexOf("-bios") + 1], "/fw");
  assert.deepEqual(args.slice(-3), ["-boot", "strict=on", "-S"]);
  assert.doesNotMatch(args[args.indexOf("-append") + 1] ?? "", /quiet|tsc_early_khz/);
});

test("a disk's id must fit into its serial number", () => {
  const drives = [{ id: "x".repeat(21), imagePath: "/i", fstype: "erofs", source: "file" as const }];
  assert.throws(() => qemuArguments({ ...plan, drives }), { code: "ERR_CONFIG_INVALID" });
});

/** The arguments that follow an option, each time it is given. */
function valuesOf(args: readonly string[], option: string): string[] {
  return args.flatMap((arg, index) => (args[index - 1] === option ? [arg] : []));
}

test("a virtiofs share is served through memory that its daemon sees", () => {
  const shares = [{ tag: "data", kind: "virtiofs" }] as const;
  const args = qemuArguments({ ...plan, shares, sharedMemory: true });
  assert.ok(args.includes("socket,id=share0-daemon,fd=9"));
  assert.ok(
    args.includes('{"driver":"vhost-user-fs-pci","id":"share0","chardev":"share0-daemon","tag":"data"}'),
  );
  assert.match(valuesOf(args, "-machine")[0] ?? "", /,memory-backend=ram0$/);
  assert.deepEqual(valuesOf(args, "-object"), [
    '{"qom-type":"memory-backend-memfd","id":"ram0","size":134217728,"share":true}',
  ]);
});

test("a 9p share needs no shared memory; a tag that its device cannot tell is refused", () => {
  const shares = [
    { tag: "data", kind: "9p" },
    { tag: "more", kind: "9p" },
  ] as const;
  const args = qemuArguments({ ...plan, machine: "microvm", slots: 0, shares });
  const fsdev = (index: number) =>
    `local,id=share${index}-dir,path=/proc/self/fd/${9 + index},security_model=passthrough,multidevs=remap`;
  assert.deepEqual(valuesOf(args, "-fsdev"), [fsdev(0), fsdev(1)]);
  assert.ok(
    args.includes('{"driver":"virtio-9p-device","id":"share0","fsdev":"share0-dir","mount_tag":"data"}'),
  );
  assert.deepEqual(valuesOf(args, "-object"), []);
  const long = [{ tag: "x".repeat(32), kind: "9p" }] as const;
  assert.throws(() => qemuArguments({ ...plan, shares: long }), { code: "ERR_CONFIG_INVALID" });
});

test("preallocated, huge and locked memory, alone and shared", () => {
  const objects = (config: QemuPlan["config"], sharedMemory = false) =>
    valuesOf(qemuArguments({ ...plan, config, sharedMemory }), "-object");
  const tail = '"id":"ram0","size":134217728,"prealloc":true';
  assert.deepEqual(objects({ memPrealloc: true }), [`{"qom-type":"memory-backend-ram",${tail}}`]);
  assert.deepEqual(objects({ memPrealloc: true }, true), [
    `{"qom-type":"memory-backend-memfd",${tail},"share":true}`,
  ]);
  for (const config of [{ hugePages: true }, { hugePages: true, memPrealloc: true }]) {
    assert.deepEqual(objects(config), [
      `{"qom-type":"memory-backend-memfd",${tail},"hugetlb":true,"share":false}`,
    ]);
  }
  const overcommit = (config: QemuPlan["config"]) =>
    valuesOf(qemuArguments({ ...plan, config }), "-overcommit");
  assert.deepEqual(overcommit({}), []);
  assert.deepEqual(overcommit({ realtime: true }), ["mem-lock=off"]);
  const config = { realtime: true, mlock: true };
  assert.deepEqual(overcommit(config), ["mem-lock=on"]);
  const locked = qemuArguments({ ...plan, config });
  assert.deepEqual(valuesOf(locked, "-accel"), ["tcg,tb-size=64"]);
  assert.doesNotMatch(valuesOf(locked, "-machine")[0] ?? "", /accel/, "QEMU takes one of the two");
  assert.deepEqual(valuesOf(qemuArguments({ ...plan, accelerator: "kvm", config }), "-accel"), []);
});

test("disks on a SCSI controller, which is there only for them", () => {
  const drives = [{ id: "rootfs0", imagePath: "/i", fstype: "erofs", addr: "0:0", source: "file" as const }];
  const devices = valuesOf(qemuArguments({ ...plan, blockDriver: "virtio-scsi", drives }), "-device");
  assert.ok(
    devices.includes(
      '{"driver":"virtio-scsi-pci","id":"scsi0","disable-legacy":"on","vectors":0,"ioeventfd":false}',
    ),
  );
  assert.equal(
    devices.at(-1),
    '{"driver":"scsi-hd","id":"disk-rootfs0","drive":"node-rootfs0","serial":"rootfs0","bus":"scsi0.0","scsi-id":0,"lun":0}',
  );
  assert.ok(!qemuArguments(plan).some((arg) => arg.includes("scsi")));
});

test("a disk that may be written to, and a block device of the host", () => {
  const disk = {
    id: "data",
    imagePath: "/dev/loop0",
    fstype: "ext4",
    readOnly: false,
    source: "device" as const,
  };
  assert.deepEqual(valuesOf(qemuArguments({ ...plan, drives: [disk] }), "-blockdev"), [
    '{"driver":"raw","node-name":"node-data","read-only":false,"file":{"driver":"host_device","filename":"/dev/loop0"}}',
  ]);
});

test("the guest's own root is the first disk, named by what finds it", () => {
  const rootDisk = { id: "guestroot", imagePath: "/g", fstype: "ext4", source: "file" as const };
  const disks = (changes: Partial<QemuPlan>) =>
    valuesOf(qemuArguments({ ...plan, rootDisk, ...changes }), "-device").flatMap(
      (device) => /"id":"disk-(\w+)"/.exec(device)?.[1] ?? [],
    );
  assert.deepEqual(disks({}), ["guestroot", "rootfs0"]);
  assert.deepEqual(disks({ machine: "microvm", slots: 0 }), ["rootfs0", "guestroot"]);
  const words = (changes: Partial<QemuPlan>) =>
    valuesOf(qemuArguments({ ...plan, rootDisk, ...changes }), "-append")[0] ?? "";
  assert.match(words({}), / root=\/dev\/disk\/by-id\/virtio-guestroot rootfstype=ext4 ro .*quiet a=b c$/);
  assert.match(words({ initrdPath: undefined }), / root=\/dev\/vda rootfstype=ext4 ro /);
  assert.deepEqual(valuesOf(qemuArguments({ ...plan, rootDisk, initrdPath: undefined }), "-initrd"), []);
});

test("in a VM, a KVM guest gets no performance counters unless the checks are turned off", () => {
  const cpu = (changes: Partial<QemuPlan>) =>
    valuesOf(qemuArguments({ ...plan, accelerator: "kvm", ...changes }), "-cpu")[0];
  assert.equal(cpu({ isNested: true }), "host,pmu=off");
  assert.equal(cpu({ isNested: true, config: { disableNestingChecks: true } }), "host");
  assert.equal(cpu({ isNested: false }), "host");
  assert.equal(cpu({ isNested: true, accelerator: "tcg" }), "max,-la57,-erms,-fsrm");
});

test("a guest that boots ahead of time, and has one processor, keeps the timer that lets it sleep", () => {
  const words = (changes: Partial<QemuPlan>) =>
    qemuArguments({ ...plan, vcpus: 1, ...changes }).find((text) => text.includes("panic=-1")) ?? "";
  const isBlank = true;
  assert.doesNotMatch(words({ isBlank }), /nolapic_timer/);
  for (const changes of [{}, { isBlank, vcpus: 2 }, { isBlank, config: { defaultMaxVCPUs: 2 } }])
    assert.match(words(changes), / nolapic_timer /);
});
