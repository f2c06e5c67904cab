/* Every fsync takes two seconds while the file named by SLOW_WHILE is there. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>

static void wait_while_slow(void) {
    const char *flag = getenv("SLOW_WHILE");
    if (flag && access(flag, F_OK) == 0)
        sleep(2);
}

int fsync(int fd) {
    wait_while_slow();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
    wait_while_slow();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
