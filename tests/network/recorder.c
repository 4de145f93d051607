/* Preloaded into a program, writes each name it looks up and each address it speaks to into the
   file that KPDEMO_NETWORK_LOG names, a line each: the function's name, a space, the name or
   address. Sockets that are no IP (AF_UNIX, netlink) are left out.

   Seen are calls of libc's functions, also of pointers that dlsym gave out; a program that makes
   its own system calls, as a statically linked one does, is not. Build with -O2: dlsym must end in
   a jump, so that the real one sees who called. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void *(*real_dlsym)(void *, const char *);

static void *real(const char *name) {
    if (!real_dlsym) {
        const char *versions[] = {"GLIBC_2.34", "GLIBC_2.17", "GLIBC_2.2.5"};
        for (int k = 0; k < 3 && !real_dlsym; k++)
            real_dlsym = dlvsym(RTLD_NEXT, "dlsym", versions[k]);
    }
    return name ? real_dlsym(RTLD_NEXT, name) : NULL;
}

static void record(const char *call, const char *what) {
    const char *path = getenv("KPDEMO_NETWORK_LOG");
    char line[512];
    int length = snprintf(line, sizeof line, "%s %s\n", call, what);
    int file = path ? open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    if (length >= (int)sizeof line) length = sizeof line - 1;
    if (write(file, line, length) < 0) abort();
    close(file);
}

static void record_address(const char *call, const struct sockaddr *address) {
    char text[INET6_ADDRSTRLEN];
    if (!address) return;
    if (address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, sizeof text);
        record(call, text);
    } else if (address->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)address)->sin6_addr, text, sizeof text);
        record(call, text);
    }
}

/* A function of libc that notes something before it does what it always does. */
#define WATCH(result, name, parameters, arguments, note) \
    result name parameters {                             \
        static result(*next) parameters;                 \
        if (!next) next = real(#name);                   \
        note;                                            \
        return next arguments;                           \
    }
#define NOTE_HOST(name, host) if (host) record(name, host)

WATCH(int, getaddrinfo,
      (const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **out),
      (host, service, hints, out), NOTE_HOST("getaddrinfo", host))
WATCH(struct hostent *, gethostbyname, (const char *host), (host), NOTE_HOST("gethostbyname", host))
WATCH(struct hostent *, gethostbyname2, (const char *host, int family), (host, family),
      NOTE_HOST("gethostbyname2", host))
WATCH(int, gethostbyname_r,
      (const char *host, struct hostent *out, char *buffer, size_t size, struct hostent **result,
       int *error),
      (host, out, buffer, size, result, error), NOTE_HOST("gethostbyname_r", host))
WATCH(int, gethostbyname2_r,
      (const char *host, int family, struct hostent *out, char *buffer, size_t size,
       struct hostent **result, int *error),
      (host, family, out, buffer, size, result, error), NOTE_HOST("gethostbyname2_r", host))
WATCH(int, connect, (int socket, const struct sockaddr *address, socklen_t length),
      (socket, address, length), record_address("connect", address))
WATCH(ssize_t, sendto,
      (int socket, const void *data, size_t size, int flags, const struct sockaddr *address,
       socklen_t length),
      (socket, data, size, flags, address, length), record_address("sendto", address))
WATCH(ssize_t, sendmsg, (int socket, const struct msghdr *message, int flags),
      (socket, message, flags), record_address("sendmsg", message->msg_name))
WATCH(int, sendmmsg, (int socket, struct mmsghdr *messages, unsigned int count, int flags),
      (socket, messages, count, flags),
      for (unsigned int k = 0; k < count; k++)
          record_address("sendmmsg", messages[k].msg_hdr.msg_name))

static const struct {
    const char *name;
    void *function;
} WATCHED[] = {
    {"getaddrinfo", getaddrinfo},
    {"gethostbyname", gethostbyname},
    {"gethostbyname2", gethostbyname2},
    {"gethostbyname_r", gethostbyname_r},
    {"gethostbyname2_r", gethostbyname2_r},
    {"connect", connect},
    {"sendto", sendto},
    {"sendmsg", sendmsg},
    {"sendmmsg", sendmmsg},
};

void *dlsym(void *handle, const char *name) {
    for (size_t k = 0; k < sizeof WATCHED / sizeof *WATCHED; k++)
        if (handle != RTLD_NEXT && !strcmp(name, WATCHED[k].name)) return WATCHED[k].function;
    if (!real_dlsym) real(NULL);
    return real_dlsym(handle, name);
}
