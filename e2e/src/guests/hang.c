/* A guest that never becomes ready: it says a line on the console, and sleeps for ever. */
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

int main(void) {
	static const char text[] = "this guest hangs on purpose\n";
	mkdir("/dev", 0755);
	mknod("/dev/console", S_IFCHR | 0600, makedev(5, 1));
	int console = open("/dev/console", O_WRONLY);
	if (console >= 0) (void)!write(console, text, sizeof text - 1);
	for (;;) pause();
}
