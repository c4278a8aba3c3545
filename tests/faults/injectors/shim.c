/* Faults of system calls: see preload.py. Waits use the monotonic clock, which is not changed. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control { int64_t clock, error, delay; };
static const struct control none;
static const volatile struct control *control = &none;
static const char *directory;

__attribute__((constructor)) static void attach(void) {
    const char *path = getenv("FAULTS_CONTROL");
    directory = getenv("FAULTS_DIRECTORY");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (fd < 0) return;
    void *map = mmap(NULL, sizeof(struct control), PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    if (map != MAP_FAILED) control = map;
}

#define REAL(name, type) static __typeof__(type) *real; if (!real) real = (__typeof__(type) *)dlsym(RTLD_NEXT, name)

static void add(struct timespec *at) {
    int64_t clock = control->clock;
    int64_t nanoseconds = at->tv_nsec + clock % 1000000000;
    at->tv_sec += clock / 1000000000 + nanoseconds / 1000000000;
    nanoseconds %= 1000000000;
    if (nanoseconds < 0) { nanoseconds += 1000000000; at->tv_sec -= 1; }
    at->tv_nsec = nanoseconds;
}

int clock_gettime(clockid_t id, struct timespec *at) {
    REAL("clock_gettime", int(clockid_t, struct timespec *));
    int result = real(id, at);
    if (result == 0 && control->clock && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) add(at);
    return result;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    (void)zone;
    struct timespec now;
    int result = clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return result;
}

time_t time(time_t *at) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (at) *at = now.tv_sec;
    return now.tv_sec;
}

static int below(const char *path) {
    return directory && strncmp(path, directory, strlen(directory)) == 0;
}

static int fails_path(const char *path) {
    if (!(control->error || control->delay) || !below(path)) return 0;
    int64_t delay = control->delay;
    struct timespec wait = {delay / 1000000000, delay % 1000000000};
    if (delay) nanosleep(&wait, NULL);
    if (!control->error) return 0;
    errno = (int)control->error;
    return 1;
}

static int fails(int fd) {
    if (!(control->error || control->delay)) return 0;
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return fails_path(path);
}

#define WRAP(type, name, parameters, arguments) \
    type name parameters { REAL(#name, type parameters); return fails(fd) ? -1 : real arguments; }

WRAP(ssize_t, write, (int fd, const void *buffer, size_t size), (fd, buffer, size))
WRAP(ssize_t, pwrite, (int fd, const void *buffer, size_t size, off_t at), (fd, buffer, size, at))
WRAP(ssize_t, pwrite64, (int fd, const void *buffer, size_t size, off64_t at), (fd, buffer, size, at))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, fdatasync, (int fd), (fd))
WRAP(int, ftruncate, (int fd, off_t size), (fd, size))
WRAP(int, ftruncate64, (int fd, off64_t size), (fd, size))
WRAP(int, fallocate, (int fd, int mode, off_t at, off_t size), (fd, mode, at, size))

#define WRAP_OPEN(name) \
    int name(const char *path, int flags, ...) { \
        REAL(#name, int(const char *, int, ...)); \
        va_list list; va_start(list, flags); mode_t mode = (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0; \
        va_end(list); \
        if ((flags & O_CREAT) && fails_path(path)) return -1; \
        return real(path, flags, mode); }

WRAP_OPEN(open)
WRAP_OPEN(open64)
