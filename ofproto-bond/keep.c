/* SPDX-License-Identifier: Apache-2.0 */

#include <config.h>
#include "ofproto-bond/keep.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "bond/bond.h"
#include "crc32c.h"
#include "dirs.h"
#include "fatal-signal.h"
#include "ofproto-bond/owner-private.h"
#include "ofproto-bond/worker.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/shash.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(bond_keep);

#define MAGIC "ofproto-bond-state"
#define STATE_VERSION 1

/* How often the file is written at most, ms: this, or so much for each bond
 * with LACP, but no less often than that.  What was sent last before the daemon
 * is killed may not be in it, and lets a bond believe that its partner gives up
 * earlier than it does. */
#define MIN_INTERVAL 100
#define INTERVAL_PER_BOND 4
#define MAX_INTERVAL 1000

/* Nothing in a file that is older than this is of use, ms; nor is a file that
 * is longer than this, in bytes. */
#define MAX_AGE 90000
#define MAX_SIZE (64 * 1024 * 1024)

/* No clock shows more, ms. */
#define MAX_CLOCK (LLONG_MAX / 4)

/* What the last daemon has left: for each bond its lines, and two clocks, ms:
 * the engine's at that time, and what that would show now. */
static struct shash left = SHASH_INITIALIZER(&left);
static long long int left_at;
static long long int left_read;
static long long int left_then;

static struct ob_worker worker;
static bool ending;             /* Main thread only. */

/* Whoever writes. */
static struct ovs_mutex mutex = OVS_MUTEX_INITIALIZER;
static char *written OVS_GUARDED_BY(mutex); /* Lines of bonds, as last
                                             * written, or null. */

static char *
file_name(void)
{
    return xasprintf("%s/ofproto-bond.state", ovs_rundir());
}

/* The machine's clock that goes on while it sleeps, ms. */
static long long int
boot_msec(void)
{
    struct timespec ts;

    xclock_gettime(CLOCK_BOOTTIME, &ts);
    return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* Stores in 'id' what is different each time the machine boots. */
static void
read_boot_id(char id[64])
{
    FILE *stream = fopen("/proc/sys/kernel/random/boot_id", "r");

    if (!stream || fscanf(stream, "%63s", id) != 1) {
        ovs_strlcpy(id, "unknown", 64);
    }
    if (stream) {
        fclose(stream);
    }
}

/* Names of bonds may hold anything. */
static void
put_name(const char *name, struct ds *ds)
{
    for (const uint8_t *p = (const uint8_t *) name; *p; p++) {
        if (*p > ' ' && *p < 0x7f && *p != '%') {
            ds_put_char(ds, *p);
        } else {
            ds_put_format(ds, "%%%02x", *p);
        }
    }
}

/* Returns the name that 's' of 'len' bytes spells, for the caller to free. */
static char *
parse_name(const char *s, size_t len)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%' && i + 2 < len) {
            bool ok;

            ds_put_char(&ds, hexits_value(&s[i + 1], 2, &ok));
            i += 2;
        } else {
            ds_put_char(&ds, s[i]);
        }
    }
    return ds_steal_cstr(&ds);
}

/* Writing. */

/* Writes 'text'.  Returns 0 or a positive errno. */
static int
write_file(const char *text)
{
    char *name = file_name();
    char *temporary = xasprintf("%s.new", name);
    size_t len = strlen(text), done = 0;
    int error = 0;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
                  | O_NOFOLLOW, 0600);

    if (fd < 0) {
        error = errno;
    } else {
        while (!error && done < len) {
            ssize_t n = write(fd, text + done, len - done);

            error = n < 0 && errno != EINTR ? errno : 0;
            done += n > 0 ? n : 0;
        }
        close(fd);
        if (!error && rename(temporary, name)) {
            error = errno;
        }
        if (error) {
            unlink(temporary);
        }
    }
    free(temporary);
    free(name);
    return error;
}

static void
remove_file(void)
{
    char *name = file_name();

    unlink(name);
    free(name);
}

/* Writes 'bonds', the lines of bonds. */
static void
write_bonds(const char *bonds)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    struct ds ds = DS_EMPTY_INITIALIZER;
    char id[64];
    int error;

    read_boot_id(id);
    ds_put_format(&ds, "%s %d %s %lld %lld\n%s", MAGIC, STATE_VERSION, id,
                  time_msec(), boot_msec(), bonds);
    ds_put_format(&ds, "end %08"PRIx32"\n",
                  ntohl(crc32c((const uint8_t *) ds_cstr(&ds), ds.length)));
    error = write_file(ds_cstr(&ds));
    if (error) {
        VLOG_WARN_RL(&rl, "cannot write what is to outlive a restart (%s)",
                     ovs_strerror(error));
    }
    ds_destroy(&ds);
}

static void
save_one(struct ob_owner *o, void *ds_)
    OVS_REQUIRES(o->mutex)
{
    struct ds *ds = ds_;
    char *text = bnd_save(o->engine);

    if (text) {
        ds_put_cstr(ds, "bond ");
        put_name(o->name, ds);
        ds_put_format(ds, "\n%s", text);
        free(text);
    }
}

static void
save(void)
    OVS_REQUIRES(mutex)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ob_owners_for_each_locked(save_one, &ds);
    if (!written || strcmp(written, ds_cstr(&ds))) {
        if (ds.length) {
            write_bonds(ds_cstr(&ds));
        } else {
            remove_file();
        }
        free(written);
        written = ds_steal_cstr(&ds);
    }
    ds_destroy(&ds);
}

static void *
keep_main(void *aux OVS_UNUSED)
{
    while (ob_worker_goes_on(&worker)) {
        ovs_mutex_lock(&mutex);
        save();
        ovs_mutex_unlock(&mutex);
        poll_timer_wait(MIN(MAX(MIN_INTERVAL, INTERVAL_PER_BOND
                                * atomic_count_get(&ob_n_lacp)),
                            MAX_INTERVAL));
        ob_worker_sleep(&worker);
    }
    return NULL;
}

/* Reading. */

/* Takes apart the lines of bonds in 'text'. */
static void
take_bonds(char *text)
{
    char *save_ptr = NULL, *name = NULL;
    struct ds lines = DS_EMPTY_INITIALIZER;

    for (char *line = strtok_r(text, "\n", &save_ptr); ;
         line = strtok_r(NULL, "\n", &save_ptr)) {
        if (!line || !strncmp(line, "bond ", 5)) {
            if (name) {
                shash_replace(&left, name, ds_steal_cstr(&lines));
            }
            free(name);
            if (!line) {
                break;
            }
            name = parse_name(line + 5, strlen(line + 5));
        } else {
            ds_put_format(&lines, "%s\n", line);
        }
    }
    ds_destroy(&lines);
}

/* Looks whether 'text' is to be believed, and takes it in.  Returns null, or
 * why it is not; which may be as it should be ('*normal'). */
static const char *
take_text(char *text, bool *normal)
{
    char *end = strstr(text, "\nend "), *newline = strchr(text, '\n');
    long long int clock, boot, age;
    char id[64], own[64], tail;
    unsigned int sum;
    int version;

    if (sscanf(text, MAGIC" %d", &version) != 1) {
        return "it is no such file";
    } else if (version != STATE_VERSION) {
        return "it is of another version";
    } else if (!end || sscanf(end, "\nend %8x%c", &sum, &tail) != 2
               || tail != '\n' || strlen(end) != strlen("\nend 01234567\n")
               || ntohl(crc32c((const uint8_t *) text, end + 1 - text))
                  != sum) {
        return "it is damaged";
    } else if (sscanf(text, MAGIC" %*d %63s %lld %lld", id, &clock,
                      &boot) != 3
               || clock < 0 || clock > MAX_CLOCK
               || boot < 0 || boot > MAX_CLOCK) {
        return "it has no date";
    }
    read_boot_id(own);
    age = boot_msec() - boot;
    *normal = true;
    if (strcmp(id, own)) {
        return "it is of before the machine was booted";
    } else if (age < 0) {
        return "it is of the future";
    } else if (age > MAX_AGE) {
        return "it is too old";
    }
    left_at = clock;
    left_read = time_msec();
    left_then = clock + age;
    end[1] = '\0';
    take_bonds(newline + 1);
    return NULL;
}

/* Returns the contents of file 'name', or null if there is none; '*why' is why
 * they are of no use. */
static char *
read_file(const char *name, const char **why)
{
    int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char *text = NULL;
    struct stat s;

    *why = NULL;
    if (fd < 0) {
        *why = errno == ENOENT ? NULL : ovs_strerror(errno);
        return NULL;
    }
    if (fstat(fd, &s) || !S_ISREG(s.st_mode) || s.st_size > MAX_SIZE) {
        *why = "it is no such file";
    } else {
        size_t n;

        text = xzalloc(s.st_size + 1);
        if (read_fully(fd, text, s.st_size, &n)) {
            *why = "it cannot be read";
        }
    }
    close(fd);
    return text;
}

void
ob_keep_init(void)
{
    char *name = file_name();
    bool normal = false;
    const char *why;
    char *text = read_file(name, &why);

    if (text && !why) {
        why = take_text(text, &normal);
    }
    if (why) {
        VLOG(normal ? VLL_INFO : VLL_WARN,
             "%s: not used, LACP begins anew (%s)", name, why);
    }
    free(text);
    free(name);
}

void
ob_keep_restore(struct ob_owner *o)
{
    char *text = shash_find_and_delete(&left, o->name);

    if (text) {
        ovs_mutex_lock(&o->mutex);
        long long int now = ob_owner_now(o);
        char *error = bnd_restore(o->engine, text, left_at,
                                  left_then + (time_msec() - left_read), now);
        ob_owner_touched(o);
        ovs_mutex_unlock(&o->mutex);
        if (error) {
            VLOG_WARN("bond %s: what the last daemon has left is not used "
                      "(%s)", o->name, error);
        }
        free(error);
        free(text);
    }
}

/* The end. */

static void
refresh_one(struct ob_owner *o, void *aux OVS_UNUSED)
    OVS_REQUIRES(o->mutex)
{
    bnd_refresh(o->engine, ob_owner_now(o));
}

/* Sends each partner a LACPDU, and writes what there is, for the last time. */
static void
finish(void)
{
    ob_owners_for_each_locked(refresh_one, NULL);
    ob_owners_pass_lacp();
    ovs_mutex_lock(&mutex);
    save();
    ovs_mutex_unlock(&mutex);
}

/* A signal ends the daemon.  We are in the poll loop of some thread. */
static void
on_signal(void *aux OVS_UNUSED)
{
    if (worker.running) {
        finish();
    }
}

void
ob_keep_start(void)
{
    static struct ovsthread_once once = OVSTHREAD_ONCE_INITIALIZER;

    if (ovsthread_once_start(&once)) {
        fatal_signal_add_hook(on_signal, NULL, NULL, false);
        ovsthread_once_done(&once);
    }
    if (!ending) {
        ob_worker_start(&worker, "bond_keep", keep_main);
    }
}

void
ob_keep_exit(bool forget)
{
    bool ran = worker.running;

    ending = true;
    ob_worker_stop(&worker);
    if (forget) {
        remove_file();
    } else {
        if (ran) {
            finish();
        }
        ob_owners_mute();
    }
}
