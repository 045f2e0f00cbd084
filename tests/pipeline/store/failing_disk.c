/* Preloaded into a process: from the n-th change of a file below a folder on, changes fail with the errno given. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char place[PATH_MAX];
static int left = -1, number, once;
static int changes;

void arm(const char *folder, int after, int error, int only_once) {
    snprintf(place, sizeof place, "%s", folder);
    left = after; number = error; once = only_once; changes = 0;
}

int count(void) { return changes; }

static int below(const char *path) {
    char full[PATH_MAX];
    if (!place[0] || !path) return 0;
    if (path[0] != '/') { if (!getcwd(full, sizeof full)) return 0; path = full; }
    return !strncmp(path, place, strlen(place));
}

static int fails(const char *path) {
    if (!below(path)) return 0;
    int mine = changes++;
    if (left < 0 || mine < left || (once && mine > left)) return 0;
    errno = number;
    return 1;
}

static int fails_fd(int fd) {
    char link[64], path[PATH_MAX];
    if (!place[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size <= 0) return 0;
    path[size] = 0;
    return fails(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

ssize_t write(int fd, const void *buffer, size_t size) {
    return fails_fd(fd) ? -1 : REAL(write)(fd, buffer, size);
}
ssize_t pwrite(int fd, const void *buffer, size_t size, off_t at) {
    return fails_fd(fd) ? -1 : REAL(pwrite)(fd, buffer, size, at);
}
ssize_t pwrite64(int fd, const void *buffer, size_t size, off64_t at) {
    return fails_fd(fd) ? -1 : REAL(pwrite64)(fd, buffer, size, at);
}
int mkdir(const char *path, mode_t mode) {
    return fails(path) ? -1 : REAL(mkdir)(path, mode);
}
int rename(const char *from, const char *to) {
    return fails(to) ? -1 : REAL(rename)(from, to);
}
#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); \
        mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0; \
        va_end(rest); \
        return (flags & O_CREAT) && fails(path) ? -1 : REAL(name)(path, flags, mode); \
    }
OPEN(open)
OPEN(open64)
