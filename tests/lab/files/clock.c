/* Gives a node a wall clock of its own: preloaded into each of its processes, it adds the offset in OFFSET_FILE (ns, an
 * int64 in an mmap'ed file, so that it can step at run time). The monotonic clock stays as it is.
 * Absolute time-outs are translated back; times that the kernel hands out (messages, files) are shifted as well. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define OFFSET_FILE "/etc/lab-clock"
#define NS 1000000000LL

static const int64_t zero;
static const volatile int64_t *offset = &zero;

__attribute__((constructor)) static void attach(void) {
    int saved = errno, fd = (int)syscall(SYS_openat, AT_FDCWD, OFFSET_FILE, O_RDONLY | O_CLOEXEC);
    if (fd >= 0) {
        void *page = mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
        if (page != MAP_FAILED) offset = page;
        close(fd);
    }
    errno = saved;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static int is_wall(clockid_t id) { return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE; }

static struct timespec moved(struct timespec t, int64_t by) {
    int64_t ns = (int64_t)t.tv_nsec + by % NS;
    t.tv_sec += by / NS + (ns >= NS) - (ns < 0);
    t.tv_nsec = ns >= NS ? ns - NS : ns < 0 ? ns + NS : ns;
    return t;
}

int clock_gettime(clockid_t id, struct timespec *t) {
    int rc = (int)syscall(SYS_clock_gettime, id, t);
    if (rc == 0 && is_wall(id)) *t = moved(*t, *offset);
    return rc;
}

int gettimeofday(struct timeval *t, void *zone) {
    struct timespec now;
    (void)zone;
    if (t && clock_gettime(CLOCK_REALTIME, &now) == 0) {
        t->tv_sec = now.tv_sec;
        t->tv_usec = now.tv_nsec / 1000;
    }
    return 0;
}

time_t time(time_t *out) {
    struct timespec now = {0};
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

static unsigned char wall_fd[4096];

int timerfd_create(int id, int flags) {
    int fd = REAL(timerfd_create)(id, flags);
    if (fd >= 0 && fd < (int)sizeof wall_fd) wall_fd[fd] = (unsigned char)(id == CLOCK_REALTIME || id == CLOCK_REALTIME_ALARM);
    return fd;
}

int timerfd_settime(int fd, int flags, const struct itimerspec *new, struct itimerspec *old) {
    struct itimerspec mine = *new;
    int far = mine.it_value.tv_sec > (INT64_MAX >> 31); /* "never": systemd watches for steps with it */
    if ((flags & TFD_TIMER_ABSTIME) && fd >= 0 && fd < (int)sizeof wall_fd && wall_fd[fd] && !far &&
        (mine.it_value.tv_sec || mine.it_value.tv_nsec))
        mine.it_value = moved(mine.it_value, -*offset);
    return REAL(timerfd_settime)(fd, flags, &mine, old);
}

int clock_nanosleep(clockid_t id, int flags, const struct timespec *t, struct timespec *left) {
    struct timespec mine = is_wall(id) && (flags & TIMER_ABSTIME) ? moved(*t, -*offset) : *t;
    return REAL(clock_nanosleep)(id, flags, &mine, left);
}

int pthread_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex, const struct timespec *t) {
    struct timespec now, mine = *t;
    clock_gettime(CLOCK_REALTIME, &now);
    if (t->tv_sec > now.tv_sec - 86400 * 365) mine = moved(*t, -*offset); /* else it waits on the monotonic clock */
    return REAL(pthread_cond_timedwait)(cond, mutex, &mine);
}

int sem_timedwait(sem_t *sem, const struct timespec *t) {
    struct timespec mine = moved(*t, -*offset);
    return REAL(sem_timedwait)(sem, &mine);
}

int pthread_mutex_timedlock(pthread_mutex_t *mutex, const struct timespec *t) {
    struct timespec mine = moved(*t, -*offset);
    return REAL(pthread_mutex_timedlock)(mutex, &mine);
}

ssize_t recvmsg(int fd, struct msghdr *m, int flags) {
    ssize_t got = REAL(recvmsg)(fd, m, flags);
    if (got < 0) return got;
    for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
        if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMP) continue;
        struct timeval v;
        memcpy(&v, CMSG_DATA(c), sizeof v);
        struct timespec t = moved((struct timespec){v.tv_sec, v.tv_usec * 1000}, *offset);
        v = (struct timeval){t.tv_sec, t.tv_nsec / 1000};
        memcpy(CMSG_DATA(c), &v, sizeof v);
    }
    return got;
}

static int shifted(int rc, struct stat *s) {
    if (rc == 0) {
        s->st_atim = moved(s->st_atim, *offset);
        s->st_mtim = moved(s->st_mtim, *offset);
        s->st_ctim = moved(s->st_ctim, *offset);
    }
    return rc;
}

int stat(const char *path, struct stat *s) { return shifted(REAL(stat)(path, s), s); }
int lstat(const char *path, struct stat *s) { return shifted(REAL(lstat)(path, s), s); }
int fstat(int fd, struct stat *s) { return shifted(REAL(fstat)(fd, s), s); }
int fstatat(int d, const char *path, struct stat *s, int f) { return shifted(REAL(fstatat)(d, path, s, f), s); }
int stat64(const char *path, struct stat64 *s) { return shifted(REAL(stat64)(path, s), (struct stat *)s); }
int lstat64(const char *path, struct stat64 *s) { return shifted(REAL(lstat64)(path, s), (struct stat *)s); }
int fstat64(int fd, struct stat64 *s) { return shifted(REAL(fstat64)(fd, s), (struct stat *)s); }
int fstatat64(int d, const char *path, struct stat64 *s, int f) {
    return shifted(REAL(fstatat64)(d, path, s, f), (struct stat *)s);
}

static void shift_x(struct statx_timestamp *x) {
    struct timespec t = moved((struct timespec){x->tv_sec, x->tv_nsec}, *offset);
    x->tv_sec = t.tv_sec;
    x->tv_nsec = (uint32_t)t.tv_nsec;
}

int statx(int d, const char *path, int flags, unsigned mask, struct statx *s) {
    int rc = REAL(statx)(d, path, flags, mask, s);
    if (rc == 0) {
        shift_x(&s->stx_atime);
        shift_x(&s->stx_btime);
        shift_x(&s->stx_ctime);
        shift_x(&s->stx_mtime);
    }
    return rc;
}

static int is_special(long ns) { return ns == UTIME_NOW || ns == UTIME_OMIT; }

int utimensat(int d, const char *path, const struct timespec t[2], int flags) {
    struct timespec mine[2];
    for (int i = 0; t && i < 2; i++) mine[i] = is_special(t[i].tv_nsec) ? t[i] : moved(t[i], -*offset);
    return REAL(utimensat)(d, path, t ? mine : NULL, flags);
}

int futimens(int fd, const struct timespec t[2]) {
    struct timespec mine[2];
    for (int i = 0; t && i < 2; i++) mine[i] = is_special(t[i].tv_nsec) ? t[i] : moved(t[i], -*offset);
    return REAL(futimens)(fd, t ? mine : NULL);
}
