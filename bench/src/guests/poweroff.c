/* The least that a guest can do: power off. The floor of every boot. */
#include <sys/reboot.h>
#include <unistd.h>

int main(void) {
	reboot(RB_POWER_OFF);
	for (;;) pause();
}
