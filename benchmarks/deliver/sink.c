/* Takes mail over SMTP on 127.0.0.1, counts it and throws it away: sink SECONDS
 *
 * It prints its port, and ends at SIGTERM or after so many seconds; then it prints how many messages, bytes of message
 * (as sent, without the last dot) and recipients it took, and how often it answered with an error. It costs as little as
 * it can, so that a benchmark measures the sender: one process, epoll, no search but memchr for a dot. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LINE = 2048, READ = 512 * 1024, ANSWERS = 64 * 1024, EVENTS = 64 };

struct connection {
    int socket;
    bool sender, in_message, over;
    int recipients;
    size_t kept;       /* bytes of an earlier read that are looked at again together with the next */
    char keep[LINE];   /* of a command: its beginning; of a message: its last four bytes */
};

static unsigned long messages, bytes, recipients, errors;
static volatile sig_atomic_t stopped;
static char input[LINE + READ], answers[ANSWERS];
static size_t answered;

static void stop(int number) { (void)number; stopped = 1; }

static void fail(const char *what) { perror(what); exit(1); }

static void answer(struct connection *c, const char *text) {
    size_t length = strlen(text);
    if (text[0] == '5') errors++;
    if (answered + length > ANSWERS) { errors++; c->over = true; return; }
    memcpy(answers + answered, text, length);
    answered += length;
}

static bool is(const char *line, const char *verb) { return strncasecmp(line, verb, strlen(verb)) == 0; }

static void forget(struct connection *c) { c->sender = false; c->recipients = 0; }

static void obey(struct connection *c, const char *line) {
    if (is(line, "EHLO ")) {
        forget(c);
        answer(c, "250-sink\r\n250-PIPELINING\r\n250-SIZE 104857600\r\n250 8BITMIME\r\n");
    } else if (is(line, "HELO ")) {
        forget(c);
        answer(c, "250 sink\r\n");
    } else if (is(line, "MAIL FROM:")) {
        if (c->sender) { answer(c, "503 a sender is named already\r\n"); return; }
        c->sender = true;
        answer(c, "250 sender taken\r\n");
    } else if (is(line, "RCPT TO:")) {
        if (!c->sender) { answer(c, "503 MAIL comes first\r\n"); return; }
        c->recipients++;
        answer(c, "250 recipient taken\r\n");
    } else if (is(line, "DATA")) {
        if (!c->recipients) { answer(c, "503 RCPT comes first\r\n"); return; }
        c->in_message = true;
        answer(c, "354 go on\r\n");
    } else if (is(line, "RSET")) {
        forget(c);
        answer(c, "250 forgotten\r\n");
    } else if (is(line, "NOOP")) {
        answer(c, "250 nothing done\r\n");
    } else if (is(line, "QUIT")) {
        answer(c, "221 bye\r\n");
        c->over = true;
    } else {
        answer(c, "500 not known here\r\n");
    }
}

/* Where CR LF . CR LF begins, or NULL. */
static char *find_end(char *from, char *end) {
    for (char *dot = from + 2; dot + 2 < end && (dot = memchr(dot, '.', (size_t)(end - dot - 2))); dot++)
        if (dot[-2] == '\r' && dot[-1] == '\n' && dot[1] == '\r' && dot[2] == '\n') return dot - 2;
    return NULL;
}

/* Looks at all that is there, and keeps the rest. What begins a message is the line end of DATA: its dot may be next. */
static void look(struct connection *c, char *at, char *end) {
    while (!c->over) {
        if (c->in_message) {
            char *found = find_end(at, end);
            if (!found) {
                char *rest = end - at > 4 ? end - 4 : at;
                bytes += (unsigned long)(rest - at);
                at = rest;
                break;
            }
            bytes += (unsigned long)(found - at);
            messages++;
            recipients += (unsigned long)c->recipients;
            c->in_message = false;
            forget(c);
            at = found + 5;
            answer(c, "250 message taken\r\n");
        } else {
            char *line_end = memchr(at, '\n', (size_t)(end - at));
            if (!line_end) break;
            *line_end = 0;
            obey(c, at);
            at = line_end + 1;
            if (c->in_message) { /* the end may stand right here: the line end is looked at again */
                at -= 2;
                memcpy(at, "\r\n", 2);
            }
        }
    }
    c->kept = (size_t)(end - at);
    if (c->kept > LINE) { errors++; c->over = true; return; }
    memcpy(c->keep, at, c->kept);
}

static void serve(struct connection *c) {
    memcpy(input, c->keep, c->kept);
    ssize_t got = recv(c->socket, input + c->kept, READ, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    answered = 0;
    if (got <= 0) c->over = true;
    else look(c, input, input + c->kept + got);
    if (answered && send(c->socket, answers, answered, MSG_NOSIGNAL) != (ssize_t)answered) c->over = true;
    if (c->over) {
        close(c->socket);
        free(c);
    }
}

static void welcome(int listener, int watch) {
    int one = 1;
    struct connection *c = calloc(1, sizeof *c);
    if (!c) fail("calloc");
    c->socket = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (c->socket < 0) { free(c); return; }
    setsockopt(c->socket, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
    if (epoll_ctl(watch, EPOLL_CTL_ADD, c->socket, &event)) fail("epoll_ctl");
    if (send(c->socket, "220 sink\r\n", 10, MSG_NOSIGNAL) != 10) fail("send");
}

int main(int count, char **words) {
    if (count != 2 || atoi(words[1]) < 1) { fputs("sink SECONDS\n", stderr); return 2; }
    struct sigaction action = {.sa_handler = stop}; /* without SA_RESTART: epoll_wait comes back */
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGALRM, &action, NULL);
    alarm((unsigned)atoi(words[1]));
    struct sockaddr_in here = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof here;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), watch = epoll_create1(EPOLL_CLOEXEC);
    if (listener < 0 || watch < 0 || bind(listener, (struct sockaddr *)&here, length) || listen(listener, 1024)
        || getsockname(listener, (struct sockaddr *)&here, &length)) fail("listen");
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL}, events[EVENTS];
    if (epoll_ctl(watch, EPOLL_CTL_ADD, listener, &event)) fail("epoll_ctl");
    printf("%d\n", ntohs(here.sin_port));
    fflush(stdout);
    while (!stopped) {
        int ready = epoll_wait(watch, events, EVENTS, 1000);
        for (int n = 0; n < ready; n++) {
            if (events[n].data.ptr) serve(events[n].data.ptr);
            else welcome(listener, watch);
        }
    }
    printf("%lu %lu %lu %lu\n", messages, bytes, recipients, errors);
    return 0;
}
