/* A guest whose init ends: the kernel panics, and the VM with it. */
int main(void) {
	return 3;
}
