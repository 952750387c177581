/*
 * Writes to a virtio-serial port as dd if=/dev/zero bs=64k would: for each byte read from the port, as many MiB as the first argument
 * says. The other arguments are the kernel modules to load before, in order.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define BLOCK (64 * 1024)

static void fail(const char *what) {
	perror(what);
	for (;;) pause();
}

static void load_module(const char *name) {
	char path[256];
	snprintf(path, sizeof path, "/lib/modules/%s.ko", name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) < 0) fail(path);
	close(fd);
}

/* The port appears some time after its driver. */
static int open_port(void) {
	for (;;) {
		for (int device = 0; device < 4; device++) {
			char path[64];
			snprintf(path, sizeof path, "/dev/vport%dp1", device);
			int fd = open(path, O_RDWR);
			if (fd >= 0) return fd;
		}
		usleep(10 * 1000);
	}
}

int main(int argc, char **argv) {
	static char block[BLOCK];
	if (argc < 2) fail("arguments");
	long blocks = atol(argv[1]) * 1024 * 1024 / BLOCK;
	mkdir("/dev", 0755);
	if (mount("devtmpfs", "/dev", "devtmpfs", 0, "") < 0) fail("devtmpfs");
	for (int index = 2; index < argc; index++) load_module(argv[index]);
	int zero = open("/dev/zero", O_RDONLY);
	if (zero < 0) fail("/dev/zero");
	int port = open_port();
	for (;;) {
		char request;
		if (read(port, &request, 1) != 1) {
			usleep(10 * 1000);
			continue;
		}
		for (long count = 0; count < blocks; count++) {
			if (read(zero, block, BLOCK) != BLOCK) fail("read");
			for (size_t done = 0; done < BLOCK;) {
				ssize_t written = write(port, block + done, BLOCK - done);
				if (written < 0) fail("write");
				done += (size_t)written;
			}
		}
	}
}
