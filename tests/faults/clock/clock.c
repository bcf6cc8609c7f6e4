/* The time of day, moved by as many seconds as the file WAVEBOOK_TEST_CLOCK says: loaded with LD_PRELOAD.
 *
 * Only the wall clock is moved, as when a person or a time server sets it; the monotonic one goes on. (libfaketime
 * cannot leave the monotonic clock alone for programs that sleep until a point of it, as Python does: their
 * clock_nanosleep fails with EINVAL.)
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
    char text[32] = {0};
    const char *path = getenv("WAVEBOOK_TEST_CLOCK");
    int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return 0;
    ssize_t length = read(file, text, sizeof text - 1);
    close(file);
    return length > 0 ? atol(text) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset();
    return (int)result;
}

int gettimeofday(struct timeval *now, void *zone)
{
    struct timespec moved;
    (void)zone;
    if (clock_gettime(CLOCK_REALTIME, &moved) != 0)
        return -1;
    now->tv_sec = moved.tv_sec;
    now->tv_usec = moved.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *now)
{
    struct timespec moved;
    if (clock_gettime(CLOCK_REALTIME, &moved) != 0)
        return (time_t)-1;
    if (now)
        *now = moved.tv_sec;
    return moved.tv_sec;
}
